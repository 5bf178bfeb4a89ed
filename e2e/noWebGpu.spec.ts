import { expect } from "@playwright/test";
import { entities, openStudio, test } from "./studio.ts";
import config from "../playwright.config.ts";

const { launchOptions } = config.use ?? {};
const args = (launchOptions?.args ?? []).filter((flag) => flag !== "--enable-unsafe-webgpu");
test.use({ launchOptions: { ...launchOptions, args } });

test("without WebGPU it says why and what to do, and labelling works", async ({ page }) => {
  await openStudio(page, "#/train");
  const banner = page.getByRole("status", { name: "No WebGPU" });
  await expect(banner).toContainText("expected a WebGPU adapter");
  await expect(banner).toContainText("What to do");
  await expect(banner).toContainText("chrome://gpu");
  await expect(page.getByRole("button", { name: "Train", exact: true })).toBeDisabled();

  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.keyboard.press("1");
  await expect.poll(() => entities(page)).toContain("Melt ingredient");
  await expect(page.getByRole("button", { name: "Suggest for all open" })).toBeDisabled();
});
