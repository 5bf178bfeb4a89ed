// Predictions of held-out sentences: what is stopped keeps what was done, says so, and goes on with the others.

import { readFileSync } from "node:fs";
import { expect } from "@playwright/test";
import { openStudio, test } from "./studio.ts";

const sentences = readFileSync("public/samples/heldout.jsonl", "utf8").trim().split("\n").slice(0, 10);
const count = sentences.length;

test("a stopped prediction keeps the documents already done, and goes on with the others", async ({ page }) => {
  await openStudio(page);
  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Import documents" });
  const file = { name: "few.jsonl", mimeType: "text/plain", buffer: Buffer.from(sentences.join("\n")) };
  await dialog.locator("input[type=file]").setInputFiles(file);
  await dialog.getByLabel("Into").selectOption("heldout");
  await dialog.getByLabel("How").selectOption("replace");
  await dialog.getByRole("button", { name: `Import ${count} documents` }).click();
  await expect(dialog).toBeHidden();
  await page.goto("/#/evaluate");
  const row = page.locator(".predict-row", { hasText: "Base model" });
  await row.getByRole("button", { name: `Predict ${count} sentences` }).click();
  // Answers are written eight at a time, document by document: by then the first documents are done, and the last are not.
  await expect(row.locator(".number")).toHaveText(/^(9|[1-9]\d)\//, { timeout: 300_000 });
  await row.getByRole("button", { name: "Stop" }).click();
  await expect(row).toContainText(new RegExp(`has predicted \\d+ of ${count} documents, stopped`));
  const done = Number(/predicted (\d+) of/.exec(await row.innerText())?.[1]);
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(count);
  const partial = page.getByText(`Partial: ${done} of ${count} documents, stopped`);
  await expect(partial).toBeVisible();
  await expect(page.getByRole("table", { name: "Held-out sentences" }).locator("tbody tr")).toHaveCount(done);

  // It is kept as it is, and what is asked next is what is missing.
  await page.reload();
  await expect(partial).toBeVisible();
  await row.getByRole("button", { name: `Predict the other ${count - done} sentence` }).click();
  await expect(partial).toBeHidden({ timeout: 300_000 });
  await expect(page.getByRole("table", { name: "Held-out sentences" }).locator("tbody tr")).toHaveCount(count);
  await expect(row).toBeHidden();
});
