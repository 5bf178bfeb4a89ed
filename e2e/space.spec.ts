// The plane of Space: zoom, move, lasso by pointer and by keys, marks.

import { expect } from "@playwright/test";
import { openStudio, test } from "./studio.ts";

test("zooms, moves, selects with the lasso and with keys, and lists what is selected", async ({ page }) => {
  await openStudio(page, "#/inspect?view=space&layer=0");
  await page.getByRole("button", { name: "PCA", exact: true }).click();
  await page.getByRole("button", { name: "Lay out" }).click();
  await expect(page.getByRole("table", { name: "Scores" })).toBeVisible({ timeout: 200_000 });
  const plane = page.getByRole("application", { name: /^base/ });
  const zoom = page.getByRole("group", { name: "Zoom" });
  await plane.scrollIntoViewIfNeeded();
  const box = await plane.boundingBox();
  if (box === null) throw new Error("expected the plane on screen");
  const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  const picture = () => plane.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());

  const whole = await picture();
  await page.mouse.move(...at(0.5, 0.5));
  await page.mouse.wheel(0, -400);
  await expect(zoom).toContainText("2.2×");
  const close = await picture();
  expect(close).not.toBe(whole);
  await page.mouse.down();
  await page.mouse.move(...at(0.7, 0.6), { steps: 4 });
  await page.mouse.up();
  await expect.poll(picture).not.toBe(close);
  // Dragging is not a click: no document was opened.
  await expect(page).toHaveURL(/#\/inspect\?view=space&layer=0$/);
  await plane.focus();
  await page.keyboard.press("0");
  await expect(zoom).toContainText("1.0×");

  const selected = page.getByRole("region", { name: "Selected" });
  const rows = selected.getByRole("table", { name: "Selected entities" }).locator("tbody tr");
  const total = Number(/(\d+) entities/.exec((await plane.getAttribute("aria-label")) ?? "")?.[1]);
  await page.keyboard.press("Control+a");
  await expect(rows).toHaveCount(Math.min(100, total));
  await page.keyboard.press("Escape");
  await expect(selected).toBeHidden();
  // The point that was under the pointer is no longer in hand then.
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".readout")).toContainText("butter");
  const before = await picture();
  await page.keyboard.press("Space");
  await expect(rows).toHaveText([/butter\s*ingredient\s*kitchen-train-01/]);
  // The others are faint.
  await expect.poll(picture).not.toBe(before);
  await page.keyboard.press("Space");
  await expect(selected).toBeHidden();

  // A point in hand is in the address, and a step back leads to the one before.
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/inspect\/kitchen-train-01\?view=space&layer=0&type=ingredient&span=17-23$/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/view=space&layer=0&type=quantity&span=/);
  await page.goBack();
  await expect(page).toHaveURL(/type=ingredient&span=17-23$/);
  await page.goForward();
  await expect(page).toHaveURL(/type=quantity&span=/);
  await page.keyboard.press("1");
  await expect(page.getByRole("group", { name: "Type" }).getByRole("button", { pressed: true })).toHaveText("quantity");
  await page.goBack();

  await page.getByRole("button", { name: "Lasso" }).click();
  await plane.scrollIntoViewIfNeeded();
  const now = await plane.boundingBox();
  if (now === null) throw new Error("expected the plane on screen");
  const half = async (from: number, to: number): Promise<number> => {
    await page.mouse.move(now.x + from * now.width, now.y + 1);
    await page.mouse.down();
    for (const [x, y] of [
      [to, 1],
      [to, now.height - 1],
      [from, now.height - 1],
    ] as const) {
      await page.mouse.move(now.x + x * now.width, now.y + y, { steps: 3 });
    }
    await page.mouse.up();
    return Number(/(\d+) entit/.exec(await selected.getByRole("status").innerText())?.[1]);
  };
  const left = await half(0.01, 0.5);
  const right = await half(0.99, 0.5);
  expect(left).toBeGreaterThan(0);
  expect(right).toBeGreaterThan(0);
  expect(left + right).toBe(total);

  await page.getByLabel("Marks").selectOption("document");
  await expect(page.locator(".type-legend")).toContainText("kitchen-train-01");
  await page.getByLabel("Marks").selectOption("correctness");
  await expect(page.locator(".type-legend")).toContainText("Held-out sentences are predicted under Cases");
});
