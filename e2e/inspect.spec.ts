import { readFileSync } from "node:fs";
import { expect } from "@playwright/test";
import { longestTask } from "./mainThread.ts";
import { downloadBytes, openStudio, test } from "./studio.ts";

const samples = ["train", "heldout"].map((name) => readFileSync(`public/samples/${name}.jsonl`, "utf8")).join("");
const labelled = samples.match(/"type":/g)?.length ?? NaN;

test("reads attention, keeps a cell, and hands out the figure and its numbers", async ({ page, browser }) => {
  await openStudio(page, "#/inspect/kitchen-train-01?layer=0");
  const read = page.getByRole("button", { name: "Read attention" });
  const map = page.getByRole("application", { name: /^base/ });
  const longest = await longestTask(browser, page, async () => {
    await read.click();
    await expect(map).toBeVisible();
  });
  expect(longest).toBeLessThan(50);

  await map.focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  const readout = page.locator(".readout");
  await expect(readout).toContainText("row 1");
  await expect(readout).toContainText("column 1");
  const said = Number(await readout.locator("strong").innerText());

  const file = (format: string) =>
    downloadBytes(page, () => page.getByRole("button", { name: format, exact: true }).click());
  const figure = JSON.parse((await file("JSON")).toString()) as { layer: number; head: string; weights: number[][] };
  expect(figure).toMatchObject({ layer: 0, head: "mean", type: "ingredient", name: "base" });
  expect(figure.weights[1]?.[1]).toBeCloseTo(said, 5);
  const sums = figure.weights.map((row) => row.reduce((sum, weight) => sum + weight, 0));
  // The rest of a row falls on the response itself.
  for (const sum of sums) expect(sum).toBeGreaterThan(0.2);
  for (const sum of sums) expect(sum).toBeLessThanOrEqual(1.0001);
  expect((await file("SVG")).toString()).toContain("layer 0, mean over");
  expect([...(await file("PNG")).subarray(1, 4)].map((code) => String.fromCharCode(code)).join("")).toBe("PNG");

  // With the weights on the GPU the next head is read at once, and stands in the address.
  await page.keyboard.press("}");
  await expect(page).toHaveURL(/#\/inspect\/kitchen-train-01\?layer=0&head=0$/);
  await expect(page.getByText("layer 0, head 0")).toBeVisible();

  await page.getByText("Numbers of a response token").click();
  await expect(page.getByRole("table", { name: "Attention of the response token" }).getByRole("row")).toHaveCount(25);
});

test("says which layers there are where the address names another", async ({ page }) => {
  await openStudio(page, "#/inspect/kitchen-train-01?layer=99");
  await page.getByRole("button", { name: "Read attention" }).click();
  await expect(page.getByText("expected a layer from 0 to")).toBeVisible();
  await page.getByLabel("Layer").selectOption("0");
  await expect(page.getByRole("application", { name: /^base/ })).toBeVisible();
});

test("lays entities out in a plane, and a point opens its document", async ({ page }) => {
  await openStudio(page, "#/inspect?view=space&layer=0");
  await page.getByLabel("Iterations").fill("300");
  await page.getByRole("button", { name: "Lay out" }).click();
  await expect(page.getByRole("table", { name: "Scores" })).toBeVisible();
  await expect(page.getByText("KL divergence")).toBeVisible();
  const plane = page.getByRole("application", { name: /^base/ });
  await plane.focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".readout")).toContainText("butter");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/inspect\/kitchen-train-01\?view=space&layer=0$/);
  const csv = await downloadBytes(page, () => page.getByRole("button", { name: "CSV", exact: true }).click());
  expect(csv.toString().trim().split("\r\n")).toHaveLength(labelled + 1);

  await page.getByLabel("Perplexity").fill("900");
  await page.getByRole("button", { name: "Lay out" }).click();
  await expect(page.getByText(`expected a perplexity from 1 to below ${labelled}`)).toBeVisible();
});
