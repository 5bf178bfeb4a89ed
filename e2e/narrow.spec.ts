// Narrow pages: nothing of a workspace is cut off at their edges, and all of it can be reached.

import { expect, type Page } from "@playwright/test";
import { openStudio, test } from "./studio.ts";

const LONG_TYPE = "chemical-compound-or-its-commercial-name";
const LONG_TITLE = "a-document-with-a-title-of-two-hundred-characters-".repeat(4);
const LONG_TOKEN = "W".repeat(60);

const ROUTES = [
  "#/label/ID",
  "#/train",
  "#/inspect/ID?layer=0",
  "#/inspect/ID?view=heads&layer=0",
  "#/inspect/ID?view=live&layer=0",
  "#/inspect/ID?view=space&layer=0",
  "#/inspect/ID?view=cases",
  "#/inspect/ID?view=prompt",
  "#/evaluate",
  "#/models",
];

/** What is to be seen and lies beyond the page's sides, outside of what scrolls. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const scrolls = (element: Element | null): boolean =>
      element !== null &&
      ((/auto|scroll/.test(getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth) ||
        scrolls(element.parentElement));
    return [...document.querySelectorAll("body *")].flatMap((element) => {
      const { left, right, width, height } = element.getBoundingClientRect();
      const seen = width > 0 && height > 0 && element.checkVisibility({ visibilityProperty: true });
      if (!seen || element.matches(".visually-hidden") || (left > -1 && right < innerWidth + 1)) return [];
      return scrolls(element.parentElement) ? [] : [`${element.tagName} ${element.className} ${left}–${right}`];
    });
  });
}

async function importLongNames(page: Page): Promise<void> {
  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Import documents" });
  const text = `The ${LONG_TOKEN} acid and butter were mixed in Ljubljana.`;
  const document = { id: LONG_TITLE, text, entities: [{ start: 4, end: 64, type: LONG_TYPE }] };
  const file = { name: "long.jsonl", mimeType: "text/plain", buffer: Buffer.from(JSON.stringify(document)) };
  await dialog.locator("input[type=file]").setInputFiles(file);
  await dialog.getByRole("button", { name: "Import 1 document" }).click();
  await expect(dialog).toBeHidden();
}

test("no workspace is cut off at the page's sides, whatever its width and the length of names", async ({ page }) => {
  await openStudio(page);
  await importLongNames(page);
  for (const width of [390, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const id of ["kitchen-train-01", LONG_TITLE]) {
      for (const route of ROUTES) {
        await page.goto(`/${route.replace("ID", id)}`);
        await expect(page.getByRole("main")).toBeVisible();
        await expect.poll(() => cutOff(page), { message: `${route} at ${width}, ${id.slice(0, 20)}` }).toEqual([]);
      }
    }
    for (const key of ["Control+o", "Control+k", "?"]) {
      await page.keyboard.press(key);
      await expect(page.getByRole("dialog")).toBeVisible();
      expect(await cutOff(page), `${key} at ${width}`).toEqual([]);
      await page.keyboard.press("Escape");
    }
    await page.getByTitle(/^GPU: /).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    expect(await cutOff(page), `GPU at ${width}`).toEqual([]);
    await page.keyboard.press("Escape");
  }
});

test("on a narrow page the documents are folded away, and opened by key", async ({ page }) => {
  await openStudio(page, "#/inspect/kitchen-train-01?view=prompt");
  await page.setViewportSize({ width: 390, height: 800 });
  const list = page.getByRole("listbox", { name: "Documents" });
  await expect(list).toBeHidden();
  const toggle = page.getByRole("button", { name: "Documents kitchen-train-01" });
  await toggle.focus();
  await page.keyboard.press("Enter");
  await expect(toggle).toHaveAttribute("aria-expanded", "true");
  await list.getByRole("option", { name: /kitchen-train-02/ }).click();
  await expect(page).toHaveURL(/kitchen-train-02\?view=prompt/);
  await expect(list).toBeHidden();
  // What is read has more than half of the page.
  const top = await page.locator(".token-view").evaluate((element) => element.getBoundingClientRect().top);
  expect(top).toBeLessThan(400);
});
