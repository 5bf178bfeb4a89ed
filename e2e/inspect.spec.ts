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

  // Copied as a figure: an image, and the caption as text.
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy as PNG" }).click();
  await expect(page.getByText("Copied the figure as PNG")).toBeVisible();
  const copied = await page.evaluate(async () => {
    const [item] = await navigator.clipboard.read();
    const text = await (await item?.getType("text/plain"))?.text();
    return { types: item?.types ?? [], text: text ?? "" };
  });
  expect([...copied.types].sort()).toEqual(["image/png", "text/plain"]);
  for (const words of ["Model OBP Mini, layer 0, mean over 9 heads", "Adapter: base", "the first token is not on it"]) {
    expect(copied.text).toContain(words);
  }
  // Where the clipboard refuses, the same as files.
  await page.context().clearPermissions();
  await page.evaluate(() => {
    navigator.clipboard.write = () => Promise.reject(new DOMException("Write permission denied.", "NotAllowedError"));
  });
  const files: string[] = [];
  page.on("download", (download) => files.push(download.suggestedFilename()));
  const svg = await downloadBytes(page, () => page.getByRole("button", { name: "Copy as SVG" }).click());
  expect(svg.toString()).toContain("<svg");
  // The caption as a file of its own.
  const name = "attention-ingredient-layer-0-mean";
  await expect.poll(() => files).toEqual([`${name}.svg`, `${name}.txt`]);
  await expect(page.getByText("The clipboard refused the figure (Write permission denied.)")).toBeVisible();

  // With the weights on the GPU the next head is read at once, and stands in the address.
  await page.keyboard.press("}");
  await expect(page).toHaveURL(/#\/inspect\/kitchen-train-01\?layer=0&head=0$/);
  await expect(page.getByText("layer 0, head 0")).toBeVisible();

  await page.getByText("Numbers of a response token").click();
  await expect(page.getByRole("table", { name: "Attention of the response token" }).getByRole("row")).toHaveCount(25);
});

test("all heads of a layer, and one number a head of all layers: a click or Enter shows a head's map", async ({
  page,
}) => {
  await openStudio(page, "#/inspect/kitchen-train-01?layer=0&head=all");
  await page.getByRole("button", { name: "Read attention" }).click();
  const tiles = page.getByRole("button", { name: /^Head \d/ });
  await expect(tiles).toHaveCount(9);
  const drawn = await tiles
    .locator("canvas")
    .evaluateAll((all) => all.map((canvas) => (canvas as HTMLCanvasElement).toDataURL()));
  expect(new Set(drawn).size).toBe(9); // each its own head
  await page.getByText("Attention on gold entities, head by head").click();
  const table = page.getByRole("table", { name: "Attention on gold entities, heads of layer 0" });
  const shares = await table.locator("tbody tr td:nth-child(2)").allInnerTexts();
  expect(new Set(shares).size).toBeGreaterThan(4);
  const json = async <T>() =>
    JSON.parse(
      (await downloadBytes(page, () => page.getByRole("button", { name: "JSON", exact: true }).click())).toString(),
    ) as T;
  const { head, weights } = await json<{ head: string; weights: number[][][] }>();
  expect([head, weights.length, weights[8]?.length]).toEqual(["all", 9, weights[0]?.length]);
  const tops = await tiles.evaluateAll((all) => all.map((tile) => tile.getBoundingClientRect().top));
  const across = tops.filter((top) => top === tops[0]).length;
  await tiles.first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(tiles.nth(across)).toBeFocused();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await expect(tiles.nth(1)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\?layer=0&head=1$/);
  await expect(page.getByText("layer 0, head 1,")).toBeVisible();

  await page.getByRole("button", { name: "Layers × heads" }).click();
  const map = page.getByRole("application", { name: /^base: 8 layers, 9 heads/ });
  await expect(map).toBeVisible();
  const { adapters, layers } = await json<{ layers: number; adapters: { entities: number[][] }[] }>();
  expect(layers).toBe(8);
  // The same numbers as of the layer's heads one by one.
  const [first = []] = adapters[0]?.entities ?? [];
  expect(first.map((share) => share.toFixed(3))).toEqual(shares.map((share) => Number(share).toFixed(3)));
  await map.focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
  await expect(page.locator(".readout")).toContainText("layer 1, head 2");
  await expect(page.locator(".readout strong")).toHaveText(adapters[0]?.entities[1]?.[2]?.toFixed(4) ?? "");
  await page.keyboard.press("Escape");
  await expect(page.locator(".readout")).toContainText("8 layers × 9 heads");
  // The same by pointer: the map stands between the layers' numbers on its left and the heads' below.
  const { x = 0, y = 0, width = 0, height = 0 } = (await map.boundingBox()) ?? {};
  const place = [x + 52 + (4.5 * (width - 54)) / 9, y + 1 + (3.5 * (height - 20)) / 8] as const;
  await page.mouse.move(...place);
  await expect(page.locator(".readout")).toContainText("layer 3, head 4");
  await page.mouse.click(...place);
  await expect(page).toHaveURL(/kitchen-train-01\?layer=3&head=4$/);
  await page.goBack();
  await expect(map).toBeVisible();
  await map.focus();
  await page.keyboard.press("Escape");
  for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
  await page.getByText("Numbers of the heads").click();
  await page.getByLabel("Heads of").selectOption("1");
  await expect(page.getByRole("table", { name: "Attention on gold entities" }).getByRole("row")).toHaveCount(10);
  await map.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/kitchen-train-01\?layer=1&head=2$/);
  await page.goBack();
  await expect(map).toBeVisible();

  // A sentence without an entity of the type says what it needs.
  await page.getByText("My grandmother never measured").click();
  await expect(page.getByText("expected at least one entity of type ingredient in the sentence")).toBeVisible();
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
  await expect(page).toHaveURL(/#\/inspect\/kitchen-train-01\?view=space&layer=0&type=ingredient&span=\d+-\d+$/);
  const csv = await downloadBytes(page, () => page.getByRole("button", { name: "CSV", exact: true }).click());
  expect(csv.toString().trim().split("\r\n")).toHaveLength(labelled + 1);

  await page.getByLabel("Perplexity").fill("900");
  await page.getByRole("button", { name: "Lay out" }).click();
  await expect(page.getByText(`expected a perplexity from 1 to below ${labelled}`)).toBeVisible();
});
