import { expect } from "@playwright/test";
import { downloadBytes, entities, openStudio, saved, test, textView, word } from "./studio.ts";

test("labels with the keyboard, undoes, redoes, and keeps every edit over a reload", async ({ page }) => {
  await openStudio(page);
  const before = ["50 grams quantity", "butter ingredient", "saucepan utensil"];
  await expect.poll(() => entities(page)).toEqual(before);

  // "a wide saucepan": cursor to "wide", extended by a word, labelled over nothing of its own type.
  for (let step = 0; step < 7; step++) await page.keyboard.press("ArrowRight");
  await expect(textView(page).locator(".cursor")).toHaveText("wide");
  await page.keyboard.press("1");
  await expect.poll(() => entities(page)).toContain("wide ingredient");
  await page.keyboard.press("3");
  await expect.poll(() => entities(page)).toContain("wide quantity");
  await page.keyboard.press("x");
  await expect.poll(() => entities(page)).toEqual(before);

  // Edges: [ and } widen, ] and { narrow.
  await word(page, "butter").click();
  await page.keyboard.press("[");
  await expect.poll(() => entities(page)).toContain("of butter ingredient");
  await page.keyboard.press("}");
  await expect.poll(() => entities(page)).toContain("of butter in ingredient");
  await page.keyboard.press("]");
  await page.keyboard.press("{");
  await expect.poll(() => entities(page)).toEqual(before);

  await page.keyboard.press("Backspace");
  await expect.poll(() => entities(page)).toEqual(["50 grams quantity", "saucepan utensil"]);
  await page.keyboard.press("u");
  await expect.poll(() => entities(page)).toEqual(before);
  await page.keyboard.press("Control+Shift+z");
  await expect.poll(() => entities(page)).toEqual(["50 grams quantity", "saucepan utensil"]);
  await saved(page);

  await page.reload();
  await expect.poll(() => entities(page)).toEqual(["50 grams quantity", "saucepan utensil"]);
});

test("labels with the mouse: drag over words, click an entity, remove it", async ({ page }) => {
  await openStudio(page, "#/label/kitchen-train-05");
  await expect(page.getByText("No entities in this text.")).toBeVisible();
  const words = textView(page).locator("[data-word]");
  const first = await words.nth(1).boundingBox();
  const last = await words.nth(2).boundingBox();
  if (first === null || last === null) throw new Error("expected the words to be laid out");
  await page.getByRole("button", { name: "2 utensil" }).click();
  await expect.poll(() => entities(page)).toHaveLength(1);
  await page.keyboard.press("u");

  await page.mouse.move(first.x + 4, first.y + first.height / 2);
  await page.mouse.down();
  await page.mouse.move(last.x + last.width / 2, last.y + last.height / 2, { steps: 4 });
  await page.mouse.up();
  const texts = await words.allInnerTexts();
  await expect.poll(() => entities(page)).toEqual([`${texts[1]} ${texts[2]} utensil`]);

  await page.getByRole("button", { name: "Remove utensil" }).first().click();
  await expect.poll(() => entities(page)).toEqual([]);
});

test("goes through documents with Space, the list and the address", async ({ page }) => {
  await openStudio(page);
  await page.keyboard.press("Space");
  await expect(page).toHaveURL(/#\/label\/kitchen-train-02$/);
  await page.getByRole("tab", { name: /Held-out/ }).click();
  await expect(page).toHaveURL(/#\/label\/kitchen-heldout-01$/);
  await page.getByLabel("Search documents").fill("pumpkin");
  await expect(page.getByRole("option", { name: /pumpkin/ })).toHaveCount(1);
  await page.getByRole("option", { name: /pumpkin/ }).click();
  await expect(page).toHaveURL(/#\/label\/kitchen-heldout-02$/);
  await page.keyboard.press("Escape");
  await page.locator(".rail").getByText("Train").click();
  await expect(page).toHaveURL(/#\/train/);
  await page.goBack();
  await expect(page).toHaveURL(/#\/label\/kitchen-heldout-02$/);
});

test("edits types: definition, count, rename; all undoable", async ({ page }) => {
  await openStudio(page);
  const definition = page.getByLabel("What utensil refers to");
  await definition.fill("");
  await expect(page.getByText("Needs a definition before training")).toBeVisible();
  await definition.fill("tools of a cook");
  await saved(page);
  await page.reload();
  await expect(definition).toHaveValue("tools of a cook");
  await page.getByLabel("Name of a new type").fill("person");
  await page.getByRole("button", { name: "Add" }).click();
  await expect(page.getByLabel("What person refers to")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByLabel("What person refers to")).toHaveCount(0);
});

test("imports a file and pasted text, names broken lines, and exports", async ({ page }) => {
  await openStudio(page);
  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Import documents" });
  const conll = "Ada\tB-person\nmet\tO\nBob\tB-person\n\nEve\tB-person\nleft\tO\n";
  await dialog
    .locator("input[type=file]")
    .setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from(conll) });
  await expect(dialog).toContainText("2 documents (conll-bio), 2 with entities; new types: person");
  await dialog.getByLabel("How").selectOption("replace");
  await dialog.getByRole("button", { name: "Import 2 documents" }).click();
  await expect(page.getByRole("tab", { name: /Support 2/ })).toBeVisible();
  await expect.poll(() => entities(page)).toEqual(["Ada person", "Bob person"]);

  await page.keyboard.press("Control+s");
  const exportDialog = page.getByRole("dialog", { name: "Export documents" });
  const file = await downloadBytes(page, () => exportDialog.getByRole("button", { name: "Export 2" }).click());
  const lines = file
    .toString()
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(lines).toMatchObject([
    {
      text: "Ada met Bob",
      entities: [
        { start: 0, end: 3, type: "person" },
        { start: 8, end: 11, type: "person" },
      ],
    },
    { text: "Eve left", entities: [{ start: 0, end: 3, type: "person" }] },
  ]);

  await page.keyboard.press("Control+o");
  const broken =
    '{"id":"a","text":"One.","entities":[]}\n{"id":"b","text":"Two.","entities":[{"start":0,"end":99,"type":"x"}]}\n';
  await dialog
    .locator("input[type=file]")
    .setInputFiles({ name: "b.jsonl", mimeType: "text/plain", buffer: Buffer.from(broken) });
  await expect(dialog).toContainText("Could not be read (1)");
  await expect(dialog).toContainText("line 2");
  await dialog.getByLabel("Text to import").fill("First sentence.\n\nSecond sentence.");
  await dialog.getByRole("button", { name: "Import 2 documents" }).click();
  await expect(page.getByRole("tab", { name: /Support 4/ })).toBeVisible();
  await page.keyboard.press("Control+z");
  await expect(page.getByRole("tab", { name: /Support 2/ })).toBeVisible();
});
