// Cases: predictions on demand, gold against before and after, and what can be done with a case.

import { readFileSync } from "node:fs";
import { expect, type Page } from "@playwright/test";
import { downloadBytes, openStudio, test, textView } from "./studio.ts";
import { keepOneSentence, openTrain, status, train } from "./training.ts";

const [firstSentence = ""] = readFileSync("public/samples/heldout.jsonl", "utf8").split("\n");
const { id, entities } = JSON.parse(firstSentence) as { id: string; entities: { type: string }[] };

async function keepOneHeldout(page: Page): Promise<void> {
  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Import documents" });
  const file = { name: "one.jsonl", mimeType: "text/plain", buffer: Buffer.from(firstSentence) };
  await dialog.locator("input[type=file]").setInputFiles(file);
  await dialog.getByLabel("Into").selectOption("heldout");
  await dialog.getByLabel("How").selectOption("replace");
  await dialog.getByRole("button", { name: "Import 1 document" }).click();
  await expect(dialog).toBeHidden();
}

test("predicts on demand, lists gold against before and after, and opens a case", async ({ page }) => {
  await openStudio(page);
  await keepOneSentence(page);
  await keepOneHeldout(page);
  await openTrain(page, { Epochs: "1", "Learning rate": "0.01", "Prompts a step": "3" }, "never");
  await train(page);
  await expect(status(page)).toContainText("finished", { timeout: 200_000 });
  await expect(page.getByLabel("Adapter in use").locator("option:checked")).toHaveText("SFT: Kitchen notes 1");

  await page.goto("/#/inspect?view=cases");
  const missing = page.locator(".predict-row", { hasText: "has not predicted" });
  await expect(missing).toHaveCount(2);
  // Stopped before a document is done: nothing is kept, and it can be asked for again.
  await missing.first().getByRole("button", { name: "Predict 1 sentence" }).click();
  await page.locator(".predict-row").getByRole("button", { name: "Stop" }).click();
  await expect(missing).toHaveCount(2);
  for (const left of [1, 0]) {
    await missing.first().getByRole("button", { name: "Predict 1 sentence" }).click();
    await expect(missing).toHaveCount(left, { timeout: 200_000 });
  }
  const filters = page.getByRole("group", { name: "Which cases" });
  await expect(filters.getByRole("button", { name: "Fixed by SFT" })).toBeVisible();
  await filters.getByRole("button", { name: "All 1" }).click();
  const one = page.getByRole("article", { name: id });
  await expect(one.locator(".mark.gold")).toHaveCount(entities.length);
  await expect(one).toHaveAttribute("tabindex", "0"); // Tab reaches it
  await expect(one.locator("dt")).toHaveText(["Gold", /^Base model/, /^SFT: Kitchen notes 1/]);

  const json = await downloadBytes(page, () => page.getByRole("button", { name: "JSON", exact: true }).click());
  const written = JSON.parse(json.toString()) as { cases: { id: string; gold: object[]; fixed: number }[] };
  expect(written).toMatchObject({ before: "Base model", after: "SFT: Kitchen notes 1", filter: "all" });
  expect(written.cases[0]).toMatchObject({ id, gold: entities.map(({ type }) => ({ type })) });
  const csv = await downloadBytes(page, () => page.getByRole("button", { name: "CSV", exact: true }).click());
  expect(csv.toString()).toContain(`${id},before,Base model,`);

  await one.focus();
  await page.keyboard.press("a");
  await expect(page).toHaveURL(new RegExp(`#/inspect/${id}$`));
  await page.goBack();
  await one.focus();
  await page.keyboard.press("ArrowRight");
  await expect(one.locator(".mark.gold.in-hand")).toHaveCount(1);
  await expect(page).toHaveURL(/type=\w+&span=\d+-\d+$/);
  await one.locator(".mark.gold").last().click();
  await expect(one.locator(".mark.gold").last()).toHaveClass(/in-hand/);
  await page.goBack();
  await expect(one.locator(".mark.gold").first()).toHaveClass(/in-hand/);
  await one.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`#/label/${id}$`));
  await expect(textView(page)).toBeVisible();
});
