// The whole way on the bundled model: train, see the loss fall and the predictions change, reload, still there. Few
// tokens: Chromium's software GPU does some 2 to 3 GFLOP/s on two cores.

import { expect } from "@playwright/test";
import { unzipSync } from "fflate";
import { longestTask } from "./mainThread.ts";
import { downloadBytes, openStudio, test } from "./studio.ts";
import { figure, keepOneSentence, openTrain, status, stepsCsv, train } from "./training.ts";

const MAX_TASK_MS = 50;
test("trains the bundled model: loss falls, predictions change, the adapter outlives a reload", async ({
  page,
  browser,
}) => {
  await openStudio(page);
  await keepOneSentence(page);
  const settings = { Epochs: "2", "Learning rate": "0.01", "Prompts a step": "1", "Warm-up": "0", "LoRA dropout": "0" };
  await openTrain(page, { ...settings, "Held-out sentences": "1" }, "at the end");
  await expect(page.getByText("Optimizer steps").locator("..")).toContainText("6");

  const longest = await longestTask(browser, page, async () => {
    await train(page);
    await expect(figure(page, "Step")).toHaveText("6/6", { timeout: 500_000 });
  });
  await expect(status(page)).toContainText("finished", { timeout: 200_000 });
  expect(longest, "longest task of the main thread, ms of CPU time").toBeLessThan(MAX_TASK_MS);

  const [, ...steps] = await stepsCsv(page);
  const losses = steps.map(([, , loss]) => Number(loss));
  expect(losses).toHaveLength(6);
  // Each prompt comes once in either epoch.
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  expect(sum(losses.slice(3))).toBeLessThan(0.9 * sum(losses.slice(0, 3)));

  await expect(page.getByRole("columnheader", { name: /Before: base model · F1/ })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: /After: SFT: Kitchen notes 1 · F1/ })).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await page.getByRole("button", { name: "Changed" }).click();
  await expect(page.getByRole("table", { name: "Held-out sentences" }).locator("tbody tr")).toHaveCount(1);

  await page.reload();
  await expect(page.getByLabel("Adapter in use").locator("option:checked")).toHaveText("SFT: Kitchen notes 1");
  await expect(page.getByRole("table", { name: "Scores by type" })).toContainText("F1 SFT: Kitchen notes 1");
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await expect(page.getByRole("table", { name: "Adapters" })).toContainText("6/6");
  const zip = await downloadBytes(page, () => page.getByRole("button", { name: "PEFT", exact: true }).click());
  const files = unzipSync(new Uint8Array(zip));
  const peft = ["adapter_config.json", "adapter_model.safetensors"];
  const made = ["config.json", "environment.json", "evals.jsonl", "log.jsonl"].map((name) => `run/${name}`);
  const states = ["best", "last"].flatMap((state) => peft.map((name) => `run/${state}/${name}`));
  expect(Object.keys(files).sort()).toEqual([...peft, ...made, ...states].sort());
  await page
    .getByLabel("Import an adapter")
    .setInputFiles({ name: "again.zip", mimeType: "application/zip", buffer: zip });
  await expect(page.getByRole("table", { name: "Adapters" })).toContainText("imported");
});

test("pauses, goes on, stops and keeps what was learned; a lost GPU leaves it intact", async ({ page, browser }) => {
  await openStudio(page);
  await keepOneSentence(page);
  await openTrain(page, { Epochs: "30", "Prompts a step": "1" }, "never");
  await train(page);
  await expect(figure(page, "Step")).toHaveText("1/90", { timeout: 200_000 });
  const running = page.getByRole("region", { name: "Training", exact: true });
  await running.getByRole("button", { name: "Pause" }).click();
  await expect(status(page)).toContainText("paused", { timeout: 100_000 });
  const steps = await figure(page, "Step").innerText();
  await page.waitForTimeout(1500);
  await expect(figure(page, "Step")).toHaveText(steps);
  await running.getByRole("button", { name: "Go on" }).click();
  await expect(figure(page, "Step")).not.toHaveText(steps, { timeout: 100_000 });
  await running.getByRole("button", { name: "Stop" }).click();
  await expect(status(page)).toContainText("stopped", { timeout: 100_000 });
  await expect(page.getByLabel("Adapter in use").locator("option:checked")).toHaveText("SFT: Kitchen notes 1");

  await train(page);
  await expect(status(page)).toContainText("training", { timeout: 100_000 });
  const session = await browser.newBrowserCDPSession();
  await session.send("Browser.crashGpuProcess");
  const banner = page.getByRole("alert", { name: "GPU lost" });
  await expect(banner).toContainText("saved adapters are safe", { timeout: 100_000 });
  await expect(status(page)).toContainText("The GPU stopped answering");
  await banner.getByRole("button", { name: "Open the GPU again" }).click();
  await expect(page.locator(".chip.ready")).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await expect(page.getByRole("table", { name: "Adapters" }).locator("tbody tr")).toHaveCount(1);
});
