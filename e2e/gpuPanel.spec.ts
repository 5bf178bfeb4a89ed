import { expect, type Page } from "@playwright/test";
import { openStudio, test } from "./studio.ts";

const panel = (page: Page) => page.getByRole("region", { name: "Kernels" });
const setting = (page: Page, name: string) => panel(page).getByRole("button", { name, exact: true });

async function openPanel(page: Page): Promise<void> {
  await page.locator("button.chip", { has: page.locator(".dot") }).click();
  await expect(panel(page)).toBeVisible();
}

test("kernels are measured by hand, overridden, and both are there after a reload", async ({ page }) => {
  await openStudio(page);
  await openPanel(page);
  await expect(panel(page)).toContainText("Not measured yet");
  await panel(page).getByRole("button", { name: "Measure", exact: true }).click();
  await expect(panel(page).getByRole("button", { name: "Stop" })).toBeVisible();
  await expect(panel(page)).toContainText(/Measured on .*SwiftShader/i, { timeout: 300_000 });

  // Every product has one family that runs, and it is the quickest that was measured.
  const rows = panel(page).getByRole("table", { name: "Measured kernels" }).locator("tbody tr");
  await expect(rows).toHaveCount(10);
  for (const row of await rows.all()) {
    const speeds = (await row.locator("td").allInnerTexts()).map((text) => parseFloat(text));
    const runs = parseFloat(await row.locator("td.chosen").innerText());
    expect(runs).toBe(Math.max(...speeds.filter((speed) => !Number.isNaN(speed))));
  }

  await setting(page, "tiled").click();
  await expect(setting(page, "tiled")).toHaveAttribute("aria-pressed", "true");
  const chosen = rows.first().locator("td.chosen");
  await expect(rows.first().locator("td").nth(2)).toHaveClass(/chosen/);
  await page.reload();
  await openPanel(page);
  await expect(setting(page, "tiled")).toHaveAttribute("aria-pressed", "true");
  await expect(panel(page)).toContainText(/Measured on .*SwiftShader/i);
  await expect(chosen).toContainText("ms");
  await setting(page, "auto").click();
  await expect(setting(page, "auto")).toHaveAttribute("aria-pressed", "true");
  // An adapter without subgroups and f16 says so, and does not offer them.
  await expect(setting(page, "subgroups")).toBeDisabled();
  await expect(setting(page, "tiled-f16")).toBeDisabled();
  await expect(page.getByRole("dialog", { name: "GPU" })).toContainText("Subgroups of fewer than eight lanes");
  await expect(page.getByRole("dialog", { name: "GPU" })).toContainText(
    "No f16: the kernels tiled-f16 cannot run here",
  );
});
