// What the specs share: a page that fails its test on any uncaught error, and the studio's landmarks.

import { expect, test as base, type Locator, type Page } from "@playwright/test";

export const test = base.extend({
  page: async ({ page }, use) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await use(page);
    expect(errors, "uncaught errors on the page").toEqual([]);
  },
});

/** Opens the studio and waits for the project, and for the bundled model's head to be read. */
export async function openStudio(page: Page, route = ""): Promise<void> {
  await page.goto(`/${route}`);
  await expect(page.getByLabel("Project name")).toHaveValue("Kitchen notes");
  await expect(page.locator(".chip.model")).toContainText("OBP Mini");
}

/** The text being labelled. */
export function textView(page: Page): Locator {
  return page.locator("[data-text-view]");
}

/** The entities of the document on screen, as "text type". */
export async function entities(page: Page): Promise<string[]> {
  const rows = page.getByRole("list", { name: "Entities" }).getByRole("listitem");
  const texts = await rows.allInnerTexts();
  return texts.map((text) => {
    const [, span = "", type = ""] = text.split("\n").map((part) => part.trim());
    return `${span} ${type}`;
  });
}

/** A word of the text on screen. */
export function word(page: Page, text: string): Locator {
  return textView(page).locator("[data-word]", { hasText: new RegExp(`^${text}$`) });
}

export async function saved(page: Page): Promise<void> {
  await expect(page.locator(".save-state")).toHaveText("Saved");
}

/** The bytes of the download that `start` sets off. */
export async function downloadBytes(page: Page, start: () => Promise<void>): Promise<Buffer> {
  const download = page.waitForEvent("download");
  await start();
  const chunks: Buffer[] = [];
  for await (const chunk of await (await download).createReadStream()) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
