// What the specs of training share.

import { readFileSync } from "node:fs";
import { expect, type Page } from "@playwright/test";
import { downloadBytes } from "./studio.ts";

const [firstSentence = ""] = readFileSync("public/samples/train.jsonl", "utf8").split("\n");

/** Leaves one sentence of the sample project's support set: three prompts an epoch. */
export async function keepOneSentence(page: Page): Promise<void> {
  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Import documents" });
  const file = { name: "one.jsonl", mimeType: "text/plain", buffer: Buffer.from(firstSentence) };
  await dialog.locator("input[type=file]").setInputFiles(file);
  await dialog.getByLabel("How").selectOption("replace");
  await dialog.getByRole("button", { name: "Import 1 document" }).click();
  // Keys pressed before it is gone are the dialog's.
  await expect(dialog).toBeHidden();
}

/** Goes to Train and fills in settings by their labels. */
export async function openTrain(page: Page, settings: Record<string, string>, evaluate: string): Promise<void> {
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  for (const [label, value] of Object.entries(settings)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByLabel("Predict held-out").selectOption(evaluate);
}

export const train = (page: Page) => page.getByRole("button", { name: "Train", exact: true }).click();

export const status = (page: Page) =>
  page.getByRole("region", { name: "Training", exact: true }).locator(".run-status").getByRole("status");

export const figure = (page: Page, name: string) => page.locator(".figures div", { hasText: name }).locator("dd");

/** The CSV of the steps on the chart, its head first. */
export async function stepsCsv(page: Page): Promise<string[][]> {
  const csv = await downloadBytes(page, () => page.getByRole("button", { name: "CSV" }).click());
  const lines = csv.toString().trim().split("\n");
  return lines.map((line) => line.split(","));
}
