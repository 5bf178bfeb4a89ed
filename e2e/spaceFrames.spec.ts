// Five thousand entities in a plane, as many as are laid out: how long a frame takes while the pointer moves over them,
// while the plane is zoomed and while it is moved. What is measured is printed; the main thread's own work is held.

import { expect } from "@playwright/test";
import { type Frames, frames } from "./frames.ts";
import { openStudio, test } from "./studio.ts";

const POINTS = 5000;
const MAX_WORK_MS = 16;
const MAX_TASK_MS = 50;
const TYPES = ["ingredient", "utensil", "quantity"];

/** Long documents whose every word is an entity, of one type each: few prompts, and no two words with the same context. */
function documents(): string {
  const words = ["butter", "salt", "rice", "pan", "spoon", "cup", "oil", "milk", "plum", "corn", "bowl", "knife"];
  const wordsEach = Math.ceil(POINTS / 9);
  return Array.from({ length: 9 }, (_, i) => {
    let text = "";
    const entities: { start: number; end: number; type: string }[] = [];
    for (let k = 0; k < wordsEach; k++) {
      const word = words[(k * k + 7 * k * i + i) % words.length] ?? "";
      entities.push({ start: text.length, end: text.length + word.length, type: TYPES[i % TYPES.length] ?? "" });
      text += `${word} `;
    }
    return JSON.stringify({ id: `long-${i}`, text, entities });
  }).join("\n");
}

test("a plane of 5,000 entities follows the pointer, zooms and moves", async ({ page, browser }) => {
  await openStudio(page);
  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Import documents" });
  const file = { name: "long.jsonl", mimeType: "text/plain", buffer: Buffer.from(documents()) };
  await dialog.locator("input[type=file]").setInputFiles(file);
  await dialog.getByLabel("How").selectOption("replace");
  await dialog.getByRole("button", { name: "Import 9 documents" }).click();
  await expect(dialog).toBeHidden();
  await page.goto("/#/inspect?view=space&layer=1");
  await page.getByRole("button", { name: "PCA", exact: true }).click();
  await page.getByRole("button", { name: "Lay out" }).click();
  await expect(page.getByRole("table", { name: "Scores" })).toBeVisible({ timeout: 400_000 });
  const plane = page.getByRole("application", { name: /^base: 5000 entities/ });
  await plane.scrollIntoViewIfNeeded();

  const measured: [string, Frames][] = [];
  const measure = async (what: string, work: (i: number) => void): Promise<void> => {
    const found = await frames(browser, page, work);
    measured.push([what, found]);
    const [median, p95, own95, longest, gpu] = [
      ...[found.median, found.p95, found.own95, found.longest, found.gpu],
    ].map((ms) => ms.toFixed(1));
    console.log(
      `${what}: frame ${median} ms (median), ${p95} (95 %); own work ${own95} ms (95 %), longest task ${longest}; GPU process ${gpu}`,
    );
  };
  await measure("hover", (i) => {
    const canvas = document.querySelector(".scatter canvas");
    const { left = 0, top = 0, width = 0, height = 0 } = canvas?.getBoundingClientRect() ?? {};
    const at = { clientX: left + (width * (i + 1)) / 62, clientY: top + height / 2, bubbles: true };
    canvas?.dispatchEvent(new PointerEvent("pointermove", at));
  });
  await measure("zoom", (i) => {
    const canvas = document.querySelector(".scatter canvas");
    const { left = 0, top = 0, width = 0, height = 0 } = canvas?.getBoundingClientRect() ?? {};
    const at = { clientX: left + width / 2, clientY: top + height / 2, bubbles: true, cancelable: true };
    canvas?.dispatchEvent(new WheelEvent("wheel", { ...at, deltaY: i < 30 ? -30 : 20 }));
  });
  const zoom = page.getByRole("group", { name: "Zoom" });
  await expect(zoom).not.toContainText("1.0×");
  await plane.focus();
  await measure("move", (i) => {
    const key = ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"][Math.floor(i / 15)] ?? "";
    const press = { key, shiftKey: true, bubbles: true, cancelable: true };
    document.querySelector(".scatter canvas")?.dispatchEvent(new KeyboardEvent("keydown", press));
  });
  for (const [what, { own95, longest }] of measured) {
    expect(own95, `${what}: own work of 95 % of frames, ms of CPU time`).toBeLessThan(MAX_WORK_MS);
    expect(longest, `${what}: longest task, ms of CPU time`).toBeLessThan(MAX_TASK_MS);
  }
});
