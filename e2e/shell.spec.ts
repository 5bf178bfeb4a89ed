import { expect } from "@playwright/test";
import { openStudio, test } from "./studio.ts";

test("reaches every workspace by key, and every action from the palette", async ({ page }) => {
  await openStudio(page);
  for (const [key, name] of [
    ["t", "Train"],
    ["i", "Inspect"],
    ["e", "Evaluate"],
    ["m", "Models"],
    ["l", "Label"],
  ] as const) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await expect(page.getByRole("main", { name })).toBeVisible();
    await expect(page.locator(".rail a.current")).toHaveText(name);
  }
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toContainText("Done, next document");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByLabel("Action or document").fill("dark");
  await page.keyboard.press("Enter");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.keyboard.press("Control+k");
  await page.getByLabel("Action or document").fill("pumpkin");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/label\/kitchen-heldout-02$/);
});

test("shows the model's facts and whether it fits, and keeps it for the next visit", async ({ page }) => {
  await openStudio(page, "#/models");
  const details = page.getByRole("region", { name: "Model", exact: true });
  await expect(details).toContainText("obp-mini.gguf");
  await expect(details).toContainText(/\d+ × Q\d/);
  await expect(details.locator(".verdict.yes")).toHaveCount(2);
  // From the browser's storage now: the network is not asked for the file again.
  let fetched = 0;
  page.on("request", (request) => {
    if (request.url().endsWith(".gguf") && request.method() === "GET") fetched++;
  });
  await page.reload();
  await expect(details).toContainText("obp-mini.gguf");
  expect(fetched).toBe(0);
});

test("says in one sentence what is wrong with a file that is no model", async ({ page }) => {
  await openStudio(page, "#/models");
  const input = page.getByLabel("Open a GGUF file");
  await input.setInputFiles({
    name: "notes.gguf",
    mimeType: "application/octet-stream",
    buffer: Buffer.from("not a model"),
  });
  await expect(page.getByRole("alert")).toContainText("expected");
  await expect(page.locator(".chip.model")).toContainText("OBP Mini");
});

test("refuses an adapter that is none, and says what was expected", async ({ page }) => {
  await openStudio(page, "#/models");
  const file = { name: "adapter_config.json", mimeType: "application/json", buffer: Buffer.from("{}") };
  await page.getByLabel("Import an adapter").setInputFiles(file);
  await expect(page.getByRole("alert")).toContainText("expected adapter_config.json and adapter_model.safetensors");
});

test("shows a prompt's tokens with those that are learned marked", async ({ page }) => {
  await openStudio(page, "#/inspect/kitchen-train-01?view=prompt");
  const learned = page.locator(".token.supervised");
  await expect(learned.first()).toHaveText("The");
  expect((await learned.allInnerTexts()).join("")).toContain("butter");
  await page.getByRole("button", { name: "utensil", exact: true }).click();
  await expect.poll(async () => (await learned.allInnerTexts()).join("")).toContain("saucepan");
});

test("a second tab does not overwrite the first one's edits", async ({ page, context }) => {
  await openStudio(page);
  const second = await context.newPage();
  await second.goto("/");
  await expect(second.getByRole("heading", { name: "The project is open in another tab" })).toBeVisible();
  await second.getByRole("button", { name: "Work here instead" }).click();
  await expect(second.getByLabel("Project name")).toHaveValue("Kitchen notes");
  await expect(page.getByRole("heading", { name: "The project is open in another tab" })).toBeVisible();
});
