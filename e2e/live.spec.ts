// A sentence's attention while the model learns.

import { expect } from "@playwright/test";
import { downloadBytes, openStudio, test } from "./studio.ts";
import { figure, keepOneSentence, openTrain, status, train } from "./training.ts";

test("draws a sentence's map every few steps of a training, plays its history, and does not hold up a stop", async ({
  page,
}) => {
  await openStudio(page);
  await keepOneSentence(page);
  await page.goto("/#/inspect/kitchen-train-01?view=live&layer=0");
  await page.getByLabel("Steps between maps").fill("2");
  await page.getByRole("button", { name: "Follow this sentence" }).click();
  await expect(page.getByRole("heading", { name: "Waiting for a training" })).toBeVisible();
  const giveUp = page.getByRole("button", { name: "Stop following" });
  await expect(giveUp).toBeVisible();
  await giveUp.click();
  await expect(page.getByRole("heading", { name: "No sentence is followed" })).toBeVisible();
  await page.getByRole("button", { name: "Follow this sentence" }).click();

  await openTrain(page, { Epochs: "1", "Learning rate": "0.01", "Prompts a step": "1", "Warm-up": "0" }, "never");
  await train(page);
  await page.goto("/#/inspect/kitchen-train-01?view=live&layer=0");
  const map = page.getByRole("application", { name: /^\(b\) step 3/ });
  await expect(map).toBeVisible({ timeout: 300_000 });
  // Before the first step, after the second, and after the last.
  await expect(page.getByText("3 maps")).toBeVisible();
  await expect(page.getByRole("application", { name: /^\(a\) step 0/ })).toBeVisible();
  const slider = page.getByRole("slider", { name: "Step of the training" });
  await slider.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page.getByRole("application", { name: /^\(b\) step 2/ })).toBeVisible();
  const csv = await downloadBytes(page, () => page.getByRole("button", { name: "CSV", exact: true }).click());
  const rows = csv.toString().split("\n");
  const of = (name: string): string[] => rows.filter((line) => line.startsWith(`${name},`));
  expect(of("step 0").length).toBe(of("step 2").length);
  expect(of("step 0").map((line) => line.slice(7))).not.toEqual(of("step 2").map((line) => line.slice(7)));
  await page.getByRole("button", { name: "Play the history" }).click();
  await expect(map).toBeVisible();
  await page.getByLabel("Difference").check();
  await expect(page.getByRole("application", { name: /^step 3 − step 0/ })).toBeVisible();

  // A layer that is not there: said here, and the training goes on; it stops as ever.
  await page.goto("/#/inspect/kitchen-train-01?view=live&layer=99");
  await page.getByRole("button", { name: "Follow this instead" }).click();
  await openTrain(page, { Epochs: "30" }, "never");
  await train(page);
  await expect(figure(page, "Step")).toHaveText("1/90", { timeout: 200_000 });
  await page.getByRole("region", { name: "Training", exact: true }).getByRole("button", { name: "Stop" }).click();
  await expect(status(page)).toContainText("stopped", { timeout: 100_000 });
  await page.goto("/#/inspect/kitchen-train-01?view=live&layer=99");
  await expect(page.getByRole("alert")).toContainText("No map: expected a layer from 0 to 7");
});
