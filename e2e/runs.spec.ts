// Runs: how long one will take, held-out scores as it goes on, the best adapter kept, pins, and states that are damaged.

import { expect, type Page } from "@playwright/test";
import { unzipSync } from "fflate";
import { figure, keepOneSentence, openTrain, status, stepsCsv, train } from "./training.ts";
import { downloadBytes, openStudio, test } from "./studio.ts";

const SLOW = { timeout: 500_000 };

test("the time is measured before, F1 is scored after each epoch, and a run without progress ends early", async ({
  page,
}) => {
  await openStudio(page);
  await keepOneSentence(page);
  // At a rate of nearly nothing the scores stay as they are.
  const settings = { Epochs: "9", "Learning rate": "1e-7", "Prompts a step": "1", "Held-out sentences": "1" };
  await openTrain(page, settings, "each epoch");
  await page.getByText("Advanced").click();
  await page.getByLabel("Early stopping").fill("1");

  const time = page.getByText("Training time", { exact: true }).locator("..");
  await expect(time).not.toContainText("about");
  await page.getByRole("button", { name: "Measure 3 steps" }).click();
  await expect(page.getByRole("status", { name: "Job" })).toContainText("measuring", SLOW);
  await expect(time).toContainText(/about [\d.]+ (s|min)/, SLOW);

  await train(page);
  const learned = page.getByRole("region", { name: "Sentences being learned" });
  await expect(learned.getByRole("listitem")).toHaveText(/(ingredient|utensil|quantity)/, SLOW);
  await expect(status(page)).toContainText("finished", SLOW);
  await expect(figure(page, "Step")).toHaveText("6");
  for (const chart of ["Held-out F1", "Gradient norm", "Learning rate"]) {
    await expect(page.getByRole("figure", { name: `${chart} by step` })).toBeVisible();
  }
  const row = page.getByRole("table", { name: "Runs" }).locator("tbody tr");
  await expect(row).toContainText("finished early");
  await expect(row).toContainText("6/27");
  const f1 = await cell(page, "F1");
  expect(f1).toMatch(/^\d+\.\d$/);
  expect(await cell(page, "BER")).toMatch(/^\d+\.\d$/);
  await expect(page.getByRole("columnheader", { name: `After: SFT: Kitchen notes 1 · F1 ${f1}` })).toBeVisible();

  const pin = page.getByRole("button", { name: "Pin Kitchen notes 1" });
  await pin.click();
  await expect(pin).toHaveAttribute("aria-pressed", "true");
  await page.reload();
  await expect(pin).toHaveAttribute("aria-pressed", "true");
  expect(await cell(page, "F1")).toBe(f1);
  // One's own settings are there again.
  await expect(page.getByRole("button", { name: "My settings" })).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByLabel("Epochs", { exact: true })).toHaveValue("9");
  await expect(page.getByRole("spinbutton", { name: "Held-out sentences" })).toHaveValue("1");
});

test("the adapter after the last step is kept beside the best one, and goes with it", async ({ page }) => {
  await openStudio(page);
  await keepOneSentence(page);
  await openTrain(page, { Epochs: "3", "Prompts a step": "1", "Held-out sentences": "1" }, "each epoch");
  await train(page);
  await expect(figure(page, "Step")).toHaveText("4/9", SLOW);
  await page.getByRole("region", { name: "Training", exact: true }).getByRole("button", { name: "Stop" }).click();
  await expect(status(page)).toContainText("stopped", SLOW);
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  const adapters = page.getByRole("table", { name: "Adapters" });
  await expect(adapters).toContainText("3/9");

  const weights = "adapter_model.safetensors";
  const zip = await exportNewest(page);
  const files = unzipSync(new Uint8Array(zip));
  const bytes = (path: string): Buffer => Buffer.from(files[path] ?? []);
  expect(bytes(weights).length).toBeGreaterThan(0);
  expect(bytes(`run/best/${weights}`).equals(bytes(weights)), "the one in use is the best").toBe(true);
  expect(bytes(`run/last/${weights}`)).toHaveLength(bytes(weights).length);
  expect(bytes(`run/last/${weights}`).equals(bytes(weights)), "the last one went on from it").toBe(false);
  expect(files["run/last/adapter_config.json"]).toEqual(files["adapter_config.json"]);
  expect(await storedAdapters(page)).toBe(2);

  const again = { name: "again.zip", mimeType: "application/zip", buffer: zip };
  await page.getByLabel("Import an adapter").setInputFiles(again);
  await expect(adapters.locator("tbody tr")).toHaveCount(2);
  const imported = unzipSync(new Uint8Array(await exportNewest(page)));
  const recorded = ["run/config.json", "run/environment.json"];
  expect(Object.keys(imported).sort()).toEqual(["adapter_config.json", weights, ...recorded]);
  expect(Buffer.from(imported[weights] ?? []).equals(bytes(weights)), "imported: the one in use").toBe(true);

  page.on("dialog", (dialog) => void dialog.accept());
  await page.getByRole("button", { name: "Delete Kitchen notes 1" }).click();
  await expect(adapters.locator("tbody tr")).toHaveCount(1);
  await expect.poll(() => storedAdapters(page)).toBe(1);
});

/** The zip of the adapter in the first row of Models. */
function exportNewest(page: Page): Promise<Buffer> {
  return downloadBytes(page, () => page.getByRole("button", { name: "PEFT", exact: true }).first().click());
}

/** Files of weights in the browser's storage. */
function storedAdapters(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("adapters");
    const names: string[] = [];
    for await (const name of folder.keys()) names.push(name);
    return names.length;
  });
}

/** Of the first run. */
async function cell(page: Page, column: string): Promise<string> {
  const table = page.getByRole("table", { name: "Runs" });
  const titles = await table.getByRole("columnheader").allInnerTexts();
  const index = titles.findIndex((title) => title.trim() === column);
  expect(index, `column ${column} of ${titles.join(", ")}`).toBeGreaterThanOrEqual(0);
  return table.locator("tbody tr").first().locator("td").nth(index).innerText();
}

test("a damaged state is named, and the run goes on from the one before it", async ({ page, context }) => {
  await openStudio(page);
  await keepOneSentence(page);
  await openTrain(page, { Epochs: "2", "Prompts a step": "1", "Warm-up": "0" }, "never");
  await page.getByText("Advanced").click();
  await page.getByLabel("Save every").fill("1");
  await train(page);
  await expect(figure(page, "Step")).toHaveText("3/6", SLOW);
  await page.close();

  const again = await context.newPage();
  await openStudio(again, "#/train");
  const banner = again.getByRole("status", { name: "Interrupted training" });
  await expect(banner).toContainText(/from step \d of 6/);
  const newest = Number(/from step (\d)/.exec(await banner.innerText())?.[1]);
  await damage(again, newest);
  await banner.getByRole("button", { name: "Resume" }).click();
  await expect(again.getByText(`The state after step ${newest} cannot be used`)).toBeVisible(SLOW);
  await expect(figure(again, "Step")).toHaveText(`${newest}/6`, SLOW);
  await expect(status(again)).toContainText("finished", SLOW);
  const [, ...steps] = await stepsCsv(again);
  expect(steps.map(([step]) => step)).toEqual(["1", "2", "3", "4", "5", "6"]);
});

/** Cuts the file of a state short, as a browser that died while writing might. */
async function damage(page: Page, step: number): Promise<void> {
  const cut = await page.evaluate(async (stepsDone) => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("checkpoints");
    const damaged: string[] = [];
    for await (const [name, handle] of folder.entries()) {
      if (!name.includes(`.${stepsDone}.`) || !(handle instanceof FileSystemFileHandle)) continue;
      const size = (await handle.getFile()).size;
      const writable = await handle.createWritable({ keepExistingData: true });
      await writable.truncate(Math.floor(size / 2));
      await writable.close();
      damaged.push(name);
    }
    return damaged;
  }, step);
  expect(cut).toHaveLength(1);
}
