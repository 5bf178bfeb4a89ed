// The stages in the studio: SFT with the contrastive loss, a run that outlives its closed tab, and DPO from the adapter.
// Few steps: Chromium's software GPU takes seconds for each.

import { expect, type Page } from "@playwright/test";
import { unzipSync } from "fflate";
import { figure, keepOneSentence, openTrain, status, stepsCsv, train } from "./training.ts";
import { downloadBytes, openStudio, test } from "./studio.ts";

const SLOW = { timeout: 500_000 };
const SHORT = { Epochs: "1", "Prompts a step": "1", "Warm-up": "0", "Contrastive weight": "0.01" };
const adapterOn = (page: Page) => page.getByLabel("Adapter in use").locator("option:checked");

test("a run goes on after its tab was closed, as if it had not been", async ({ page, context }) => {
  await openStudio(page);
  await keepOneSentence(page);
  await openTrain(page, SHORT, "never");
  await train(page);
  await expect(status(page)).toContainText("finished", SLOW);
  await expect(adapterOn(page)).toHaveText("SFT + CL: Kitchen notes 1");
  const whole = await stepsCsv(page);
  expect(whole[0]).toEqual(expect.arrayContaining(["sft_loss", "contrastive_loss"]));
  expect(whole).toHaveLength(4);
  const legend = page.getByRole("figure", { name: "Loss by step" }).getByRole("button", { name: "Show contrastive" });
  await legend.press("Enter");
  await expect(legend).toHaveAttribute("aria-pressed", "false");

  await page.getByText("Advanced").click();
  await page.getByLabel("Save every").fill("1");
  await train(page);
  await expect(figure(page, "Step")).toHaveText("2/3", SLOW);
  await page.close();

  const again = await context.newPage();
  await openStudio(again, "#/train");
  const banner = again.getByRole("status", { name: "Interrupted training" });
  await expect(banner).toContainText(/Kitchen notes 2 was interrupted.*from step [12] of 3/);
  await banner.getByRole("button", { name: "Resume" }).click();
  await expect(banner).toBeHidden();
  await expect(status(again)).toContainText("finished", SLOW);
  await expect(adapterOn(again)).toHaveText("SFT + CL: Kitchen notes 2");
  expect(await stepsCsv(again)).toEqual(whole);

  await again.reload();
  await expect(again.getByText("Last training: SFT + CL: Kitchen notes 2")).toBeVisible();
  await expect(banner).toBeHidden();
  const runs = again.getByRole("table", { name: "Runs" }).locator("tbody tr");
  await expect(runs).toHaveCount(2);
  await expect(runs.first()).toContainText("Save every 20 → 1");
  await again.getByRole("checkbox", { name: "Overlay Kitchen notes 1" }).check();
  await expect(again.getByRole("button", { name: "Show Kitchen notes 1" })).toBeVisible();
  await again.getByRole("button", { name: "Delete Kitchen notes 1" }).click();
  await expect(runs).toHaveCount(1);
  await again.getByRole("region", { name: "Runs" }).getByRole("button", { name: "Undo" }).click();
  await expect(runs).toHaveCount(2);

  await again.keyboard.press("g");
  await again.keyboard.press("m");
  const [first, second] = [await adapterWeights(again, 0), await adapterWeights(again, 1)];
  expect(first.equals(second), "weights of the resumed run are those of the whole one").toBe(true);
});

/** adapter_model.safetensors of the adapter in a row of Models. */
async function adapterWeights(page: Page, row: number): Promise<Buffer> {
  const button = page.getByRole("button", { name: "PEFT", exact: true }).nth(row);
  const files = unzipSync(new Uint8Array(await downloadBytes(page, () => button.click())));
  expect(Object.keys(files)).toEqual(expect.arrayContaining(["run/config.json", "run/log.jsonl"]));
  const environment = JSON.parse(Buffer.from(files["run/environment.json"] ?? []).toString()) as object;
  expect(environment).toMatchObject({ steps: 3, data: expect.stringMatching(/^[0-9a-f]{64}$/) });
  return Buffer.from(files["adapter_model.safetensors"] ?? []);
}

test("DPO begins with the SFT adapter, makes its pairs, and says when it changed nothing", async ({ page }) => {
  await openStudio(page);
  await keepOneSentence(page);
  await openTrain(page, { ...SHORT, "Step limit": "1" }, "never");
  await page.getByLabel("Include SFT + contrastive").uncheck();
  await page.getByLabel("Include DPO").check();
  await expect(page.getByText("expected an SFT adapter for DPO to begin with, got none")).toBeVisible();
  await expect(page.getByRole("button", { name: "Train", exact: true })).toBeDisabled();
  await page.getByLabel("Include DPO").uncheck();
  await page.getByLabel("Include SFT + contrastive").check();
  await train(page);
  await expect(status(page)).toContainText("finished", SLOW);

  await page.getByLabel("Include SFT + contrastive").uncheck();
  await page.getByLabel("Include DPO").check();
  await expect(page.getByLabel("Begins with").locator("option:checked")).toHaveText("SFT + CL: Kitchen notes 1");
  for (const kind of ["shift-left", "expand-both"]) await page.getByLabel(kind, { exact: true }).uncheck();
  await openTrain(page, { "Learning rate": "1e-7", "Pairs a step": "1", "Step limit": "2" }, "never");
  await train(page);
  await expect(status(page)).toContainText("finding the adapter's errors", SLOW);
  await expect(status(page)).toContainText("asking the reference", SLOW);
  await expect(status(page)).toContainText("finished", SLOW);
  await expect(page.getByRole("alert", { name: "Warnings" })).toContainText("changed nothing measurable");
  await expect(page.getByRole("figure", { name: "Reward margin by step" })).toBeVisible();
  await expect(page.getByRole("figure", { name: "Log-probability of answers by step" })).toBeVisible();
  await expect(adapterOn(page)).toHaveText("DPO: Kitchen notes 2");

  const [columns = [], first = []] = await stepsCsv(page);
  const value = (name: string): number => Number(first[columns.indexOf(name)]);
  // Before the first update the policy is its reference: the margin is 0, and the loss is −log σ(0).
  expect(value("rewards/margins")).toBeCloseTo(0, 3);
  expect(value("dpo_loss")).toBeCloseTo(Math.log(2), 3);
  await page.reload();
  await expect(page.getByRole("alert", { name: "Warnings" })).toContainText("changed nothing measurable");
});
