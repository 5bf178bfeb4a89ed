// Two runs beside each other in every view of Inspect, what differs in their configuration, and the entity in hand.

import { expect, type Page } from "@playwright/test";
import { downloadBytes, entities, openStudio, test } from "./studio.ts";
import { keepOneSentence, openTrain, status, train } from "./training.ts";

const SLOW = { timeout: 200_000 };
const SAID = "Configurations: learning rate 2e-3 | 1e-3; seed 42 | 7.";

/** Two runs of one step each, and held-out sentences that nobody has predicted. */
async function trainTwo(page: Page): Promise<void> {
  await keepOneSentence(page);
  await openTrain(page, { Epochs: "1", "Prompts a step": "3" }, "never");
  await page.getByText("Advanced").click();
  for (const [rate, seed] of [
    ["0.002", "42"],
    ["0.001", "7"],
  ] as const) {
    await page.getByLabel("Learning rate", { exact: true }).fill(rate);
    await page.getByLabel("Seed", { exact: true }).fill(seed);
    await train(page);
    await expect(status(page)).toContainText("finished", SLOW);
  }
  await expect(page.getByRole("table", { name: "Runs" }).locator("tbody tr")).toHaveCount(2);
}

/** Where a folder is named, what the page looks like in both themes and at two widths; to be looked at. */
async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env["OBP_SHOTS"];
  if (folder === undefined) return;
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await page.waitForTimeout(400);
      await page.screenshot({ path: `${folder}/${name}-${width}-${theme}.png` });
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

test("two runs in every view, and the files say how they were trained", async ({ page }) => {
  await openStudio(page);
  await trainTwo(page);
  await page.goto("/#/inspect/kitchen-train-01?layer=0");
  const states = page.getByRole("group", { name: "Model states" });
  const configurations = page.getByRole("note", { name: "Configurations" });
  // Unless anything is chosen: base, and the adapter in use, which says what it is.
  await expect(configurations).toContainText("Configuration of SFT: Kitchen notes 2:");
  await expect(configurations).toContainText("learning rate 1e-3");
  await expect(configurations).toContainText("base is not trained.");
  const option = (run: number) => states.getByLabel("State a").locator("option", { hasText: `Kitchen notes ${run} ·` });
  await expect(option(1)).toHaveText(/^SFT: Kitchen notes 1 · .*, 1 epoch$/);
  await states.getByLabel("State a").selectOption((await option(1).getAttribute("value")) ?? "");
  await expect(configurations).toHaveText(/^Configurations:\s*learning rate 2e-3 \| 1e-3\s*seed 42 \| 7$/);
  await expect(page).toHaveURL(/layer=0&states=[\w-]+\.[\w-]+$/);

  await page.getByRole("button", { name: "Read attention" }).click();
  await expect(page.getByRole("application", { name: "(a) SFT: Kitchen notes 1" })).toBeVisible(SLOW);
  await expect(page.getByRole("application", { name: "(b) SFT: Kitchen notes 2" })).toBeVisible();
  const save = (format: string) =>
    downloadBytes(page, () =>
      page.getByRole("group", { name: "Save the figure" }).first().getByRole("button", { name: format }).click(),
    );
  expect((await save("SVG")).toString()).toContain(`not renormalised. ${SAID}</title>`);
  expect(JSON.parse((await save("JSON")).toString())).toMatchObject({ compared: { text: SAID } });
  expect((await save("CSV")).toString()).toMatch(/weight,configuration\n.*,"learning rate 2e-3; seed 42"\n/);
  await shot(page, "attention");

  // The same two everywhere.
  await page.getByRole("button", { name: "Layers × heads" }).click();
  await expect(configurations).toContainText("seed 42 | 7");
  await expect(page.getByRole("application", { name: "(b) SFT: Kitchen notes 2" })).toBeVisible(SLOW);
  expect(JSON.parse((await save("JSON")).toString())).toMatchObject({ compared: { text: SAID } });
  await shot(page, "heads");
  await page.getByRole("button", { name: "Space", exact: true }).click();
  await page.getByRole("button", { name: "PCA", exact: true }).click();
  await page.getByRole("button", { name: "Lay out" }).click();
  await expect(page.getByRole("table", { name: "Scores" })).toBeVisible(SLOW);
  await expect(configurations).toContainText("learning rate 2e-3 | 1e-3");
  expect((await save("SVG")).toString()).toContain(SAID);
  await shot(page, "space");
  await page.getByRole("button", { name: "Cases", exact: true }).click();
  const [before, after] = [page.getByLabel("Before"), page.getByLabel("After")];
  await expect(before.locator("option:checked")).toHaveText(/Kitchen notes 1/);
  await expect(after.locator("option:checked")).toHaveText(/Kitchen notes 2/);
  await expect(configurations).toContainText("seed 42 | 7");
  await shot(page, "cases");
  // The one that is there changes places with the other; and a step back undoes it.
  await before.selectOption(await after.inputValue());
  await expect(after.locator("option:checked")).toHaveText(/Kitchen notes 1/);
  await expect(configurations).toContainText("seed 7 | 42");
  await page.goBack();
  await expect(configurations).toContainText("seed 42 | 7");

  // Kept over a reload: it is all in the address.
  await page.reload();
  await expect(before.locator("option:checked")).toHaveText(/Kitchen notes 1/);
  await before.selectOption("");
  await page.getByRole("button", { name: "Attention", exact: true }).first().click();
  await expect(states.getByLabel("State a").locator("option:checked")).toHaveText("base");
});

test("an entity taken in hand in text, map or Label is the one in all of them", async ({ page }) => {
  await openStudio(page, "#/inspect/kitchen-train-01?layer=0&head=0");
  const sentence = page.getByLabel("Sentence");
  await sentence.locator(".mark", { hasText: "saucepan" }).click();
  await expect(page).toHaveURL(/layer=0&head=0&type=utensil&span=\d+-\d+$/);
  await page.getByRole("button", { name: "Read attention" }).click();
  const map = page.getByRole("application", { name: /^base/ });
  await expect(map).toBeVisible(SLOW);
  // Its response rows are locked, its columns framed.
  const readout = page.locator(".readout");
  await expect(readout).toContainText(/sauce.* → sauce/);
  await shot(page, "entity");
  await page.keyboard.press("e");
  await expect(sentence.locator(".mark.in-hand")).toContainText("50 grams");
  await page.goBack();
  await expect(sentence.locator(".mark.in-hand")).toContainText("saucepan");

  // From the map: let go, then take the framed token that is under the cell in hand.
  await map.focus();
  const column = Number(/column (\d+)/.exec(await readout.innerText())?.[1]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/type=utensil$/);
  await expect(sentence.locator(".mark.in-hand")).toHaveCount(0);
  for (let step = 0; step < column; step++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(sentence.locator(".mark.in-hand")).toContainText("saucepan");
  // The cell stays where it was chosen.
  await expect(readout).toContainText(/row 0 → sauce/);

  // Picked under Label, by key and by the rail; and what is picked there comes back.
  const picked = page.getByRole("list", { name: "Entities" }).locator("li.held");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await expect(page).toHaveURL(/#\/label\/kitchen-train-01$/);
  await expect(picked).toContainText("saucepan");
  await page.keyboard.press("e");
  await expect(picked).toContainText("50 grams");
  await page.getByRole("navigation", { name: "Workspaces" }).getByRole("link", { name: "Inspect" }).click();
  await expect(page).toHaveURL(/type=quantity&span=\d+-\d+$/);
  await expect(sentence.locator(".mark.in-hand")).toContainText("50 grams");
  await page.getByRole("navigation", { name: "Workspaces" }).getByRole("link", { name: "Label" }).click();
  await expect(picked).toContainText("50 grams");
  await page.keyboard.press("x");
  await expect.poll(() => entities(page)).toEqual(["butter ingredient", "saucepan utensil"]);
});
