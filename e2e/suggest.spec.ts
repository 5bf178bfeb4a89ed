// Suggestions of the bundled model, which knows people and places: asked for, accepted, refused and fixed.

import { expect, type Page } from "@playwright/test";
import { longestTask } from "./mainThread.ts";
import { downloadBytes, entities, openStudio, saved, test, textView } from "./studio.ts";

const SLOW = { timeout: 300_000 };
const MAX_TASK_MS = 50;
const TEXT = "Tom met Mary Lee in Berlin.";
const DEFINITIONS = {
  person: "names of people, real or fictional",
  location: "names of towns, countries and other places",
} as const;

test("suggests, and keeps what was accepted, refused and fixed, each undoable", async ({ page, browser }) => {
  await openStudio(page);
  await importTrip(page);
  const longest = await longestTask(browser, page, async () => {
    await page.getByRole("button", { name: "Suggest", exact: true }).click();
    await expect(page.getByRole("status", { name: "Job" })).toContainText("suggesting", SLOW);
    await expect(rows(page)).not.toHaveCount(0, SLOW);
  });
  expect(longest, "longest task of the main thread, ms of CPU time").toBeLessThan(MAX_TASK_MS);

  // Shown is what the model answered and what is saved; none of it is a label yet.
  const both = ["Tom person", "Berlin location"];
  await expect.poll(() => suggestions(page)).toEqual(both);
  expect(await savedSuggestions(page)).toEqual(both);
  expect(await entities(page)).toEqual([]);
  await expect(drawn(page)).toHaveText([/^Tom● person\s\d+ %$/, /^Berlin■ location\s\d+ %$/]);
  await expect(drawn(page).first()).toHaveAttribute("title", /^person, suggested with \d+ %$/);
  await page.getByLabel("Status").selectOption("Disagrees");
  await expect(page.getByRole("option", { name: TEXT })).toHaveCount(1);
  await expect(page.getByRole("option", { name: "Ada lives in Rome." })).toHaveCount(0);

  // The one under the cursor is in hand; e walks, Enter accepts and goes on to the next, x refuses it.
  await expect(held(page)).toHaveText(/^Tom/);
  await page.keyboard.press("e");
  await expect(held(page)).toHaveText(/^Berlin/);
  await page.keyboard.press("Shift+e");
  await expect(held(page)).toHaveText(/^Tom/);
  await page.keyboard.press("Enter");
  await expect.poll(() => entities(page)).toEqual(["Tom person"]);
  await expect(held(page)).toHaveText(/^Berlin/);
  await page.keyboard.press("x");
  await expect(page.getByText("Every suggestion by the base model has been answered.")).toBeVisible();
  expect(await entities(page)).toEqual(["Tom person"]);
  await page.keyboard.press("u");
  await expect.poll(() => suggestions(page)).toEqual(["Berlin location"]);
  await page.keyboard.press("u");
  await expect.poll(() => suggestions(page)).toEqual(both);
  expect(await entities(page)).toEqual([]);
  await page.keyboard.press("a");
  await expect.poll(() => entities(page)).toEqual(both);
  await page.keyboard.press("u");
  await expect.poll(() => suggestions(page)).toEqual(both);

  // Another type, another edge: one edit each, which labels the right one and refuses the wrong one.
  await page
    .getByRole("list", { name: "Suggestions" })
    .getByRole("button", { name: /^■ Berlin/ })
    .click();
  await page.keyboard.press("1");
  await expect.poll(() => entities(page)).toEqual(["Berlin person"]);
  await page.keyboard.press("u");
  await expect.poll(() => suggestions(page)).toEqual(both);
  await page.keyboard.press("Shift+e");
  await expect(held(page)).toHaveText(/^Tom/);
  await page.keyboard.press("}");
  await expect.poll(() => entities(page)).toEqual(["Tom met person"]);
  expect(await suggestions(page)).toEqual(["Berlin location"]);
  await saved(page);

  await page.reload();
  await expect.poll(() => suggestions(page)).toEqual(["Berlin location"]);
  expect(await entities(page)).toEqual(["Tom met person"]);
  await page.getByRole("button", { name: "Reject location “Berlin”" }).last().click();
  await expect.poll(() => suggestions(page)).toEqual([]);
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "Export documents" });
  const file = await downloadBytes(page, () => dialog.getByRole("button", { name: "Export 2" }).click());
  const [line = ""] = file.toString().split("\n");
  expect(JSON.parse(line)).toEqual({
    ...{ id: "trip", text: TEXT, entities: [{ start: 0, end: 7, type: "person" }] },
    rejected: [
      { start: 0, end: 3, type: "person" },
      { start: 20, end: 26, type: "location" },
    ],
  });
});

test("asks for all open documents, stops, and shows nothing in those that are done", async ({ page }) => {
  await openStudio(page);
  await expect(page.getByRole("button", { name: "Suggest", exact: true })).toBeDisabled();
  await importTrip(page);
  const all = page.getByRole("button", { name: "Suggest for all open" });
  await expect(all).toHaveAttribute("title", /^Ask the base model/);
  await all.click();
  const job = page.getByRole("status", { name: "Job" });
  await expect(all).toBeDisabled();
  // The one on screen comes first.
  await expect.poll(() => suggestions(page), SLOW).toEqual(["Tom person", "Berlin location"]);
  await job.getByRole("button", { name: "Stop" }).click();
  await expect(job).toBeHidden(SLOW);
  await expect(all).toBeEnabled();
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect.poll(() => suggestions(page)).toEqual([]);
  await expect(drawn(page)).toHaveCount(0);
});

const rows = (page: Page) => page.getByRole("list", { name: "Suggestions" }).getByRole("listitem");
/** Dashed boxes of the text, and the one in hand. */
const drawn = (page: Page) => textView(page).locator("mark.suggested");
const held = (page: Page) => textView(page).locator("mark.suggested.held");

/** The suggestions under the text, as "text type". */
async function suggestions(page: Page): Promise<string[]> {
  const found = await rows(page).allInnerTexts();
  return found.map((text) => {
    const [, span = "", type = ""] = text.split("\n").map((part) => part.trim());
    return `${span} ${type}`;
  });
}

/** Those of the first document in the browser's database, as "text type". */
function savedSuggestions(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("obp-studio");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new Error("expected the studio's database"));
    });
    const records = await new Promise<{ text: string; entities: { start: number; end: number; type: string }[] }[]>(
      (resolve) => {
        const request = database.transaction("suggestions").objectStore("suggestions").getAll();
        request.onsuccess = () => resolve(request.result as []);
      },
    );
    database.close();
    return records.flatMap(({ text, entities: spans }) =>
      spans.map(({ start, end, type }) => `${text.slice(start, end)} ${type}`),
    );
  });
}

/** Two open documents in place of the support set, and two types in place of the sample's. */
async function importTrip(page: Page): Promise<void> {
  const labelled = [
    { start: 0, end: 3, type: "person" },
    { start: 13, end: 17, type: "location" },
  ];
  const documents = [
    { id: "trip", text: TEXT, entities: [] },
    { id: "home", text: "Ada lives in Rome.", entities: labelled },
  ];
  const buffer = Buffer.from(documents.map((document) => JSON.stringify(document)).join("\n"));
  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Import documents" });
  await dialog.locator("input[type=file]").setInputFiles({ name: "trip.jsonl", mimeType: "text/plain", buffer });
  await dialog.getByLabel("How").selectOption("replace");
  await dialog.getByLabel("labelled to the end").uncheck();
  await dialog.getByRole("button", { name: "Import 2 documents" }).click();
  await expect(dialog).toBeHidden();
  for (const name of ["ingredient", "utensil", "quantity"]) {
    await page.getByLabel(`What ${name} refers to`).hover();
    await page.getByRole("button", { name: `Remove ${name}` }).click();
  }
  for (const [name, definition] of Object.entries(DEFINITIONS)) {
    await page.getByLabel(`What ${name} refers to`).fill(definition);
  }
  await page.getByRole("option", { name: TEXT }).click();
}

test("on a second visit the model is ready unasked, and answers the same", async ({ page }) => {
  const weights = page.locator("button.chip.ready .number");
  await openStudio(page);
  await expect(weights).toBeVisible(SLOW);
  await importTrip(page);
  await suggestAnew(page);
  const answers = await drawn(page).allTextContents();
  expect(answers).toHaveLength(2);
  const bytes = await weights.innerText();
  await page.reload();
  await expect(weights).toHaveText(bytes, SLOW);
  await suggestAnew(page);
  await expect(drawn(page)).toHaveText(answers);
});

async function suggestAnew(page: Page): Promise<void> {
  const job = page.getByRole("status", { name: "Job" });
  await page.getByRole("button", { name: "Suggest", exact: true }).click();
  await expect(job).toContainText("suggesting", SLOW);
  await expect(job).toHaveCount(0, SLOW);
}
