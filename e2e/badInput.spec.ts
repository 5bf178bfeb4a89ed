// Bad input ends in one clear sentence, and what was there stays.

import { expect } from "@playwright/test";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, writePeft } from "../src/model/adapters/peft.ts";
import { loraTensorName } from "../src/model/adapters/loraWeights.ts";
import { openStudio, test } from "./studio.ts";

test("an empty support set and a type without definition are named before training", async ({ page }) => {
  await openStudio(page);
  await page.getByLabel("What utensil refers to").fill(" ");
  await page.getByRole("button", { name: "Train on these 12 sentences" }).click();
  await expect(page.getByRole("alert")).toContainText("expected a definition of utensil, got none");
  await expect(page.getByRole("button", { name: "Train", exact: true })).toBeDisabled();
  await page.keyboard.press("Control+z");

  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Import documents" });
  await dialog.getByLabel("Text to import").fill("Nothing is labelled here.");
  await dialog.getByLabel("How").selectOption("replace");
  await dialog.getByRole("button", { name: "Import 1 document" }).click();
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await expect(page.getByText("expected at least one support sentence marked done, got none")).toBeVisible();
});

test("a sentence over the context is named and left out", async ({ page }) => {
  await openStudio(page);
  const entity = { start: 0, end: 4, type: "ingredient" };
  const long = JSON.stringify({ id: "too-long", text: "salt and ".repeat(1200), entities: [entity] });
  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Import documents" });
  const file = { name: "long.jsonl", mimeType: "text/plain", buffer: Buffer.from(long) };
  await dialog.locator("input[type=file]").setInputFiles(file);
  await dialog.getByRole("button", { name: "Import 1 document" }).click();
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await expect(
    page.getByText(/Left out, over the model's context: too-long \/ ingredient \(\d+.\d+ tokens\)/),
  ).toBeVisible();
});

test("a full disk is said, and what was saved earlier is intact", async ({ page, context }) => {
  await openStudio(page, "#/models");
  await page.getByLabel("Open a GGUF file").setInputFiles("public/models/obp-mini.gguf");
  const keep = page.getByRole("button", { name: "Keep in this browser" });
  await expect(keep).toBeVisible();
  const session = await context.newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(page.url()).origin, quotaSize: 1_000_000 });
  await keep.click();
  await expect(page.getByRole("alert")).toContainText(
    "expected room in the browser's storage for the model obp-mini.gguf",
  );
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(page.url()).origin });
  await page.reload();
  await expect(page.locator(".chip.model")).toContainText("OBP Mini");
});

test("a model file that is cut short is refused in one sentence; the open one stays", async ({ page }) => {
  await openStudio(page, "#/models");
  const bytes = (await page.request.get("/models/obp-mini.gguf")).body();
  const file = { name: "cut.gguf", mimeType: "application/octet-stream", buffer: (await bytes).subarray(0, 3_000_000) };
  await page.getByLabel("Open a GGUF file").setInputFiles(file);
  await expect(page.getByRole("alert")).toContainText("expected");
  await expect(page.locator(".chip.model")).toContainText("OBP Mini");
});

test("an adapter that does not fit the model is refused when it is to be used", async ({ page }) => {
  await openStudio(page, "#/models");
  const shape = (rows: number, columns: number) =>
    ({ shape: [rows, columns], data: new Float32Array(rows * columns) }) as const;
  const files = writePeft(
    {
      config: { rank: 2, alpha: 4, dropout: 0, targets: ["q_proj"] },
      tensors: new Map([
        [loraTensorName(0, "q_proj", "A"), shape(2, 16)],
        [loraTensorName(0, "q_proj", "B"), shape(16, 2)],
      ]),
    },
    "another-model",
  );
  const upload = (name: typeof ADAPTER_CONFIG | typeof ADAPTER_WEIGHTS) => {
    const content = files.get(name) ?? "";
    return { name, mimeType: "application/octet-stream", buffer: Buffer.from(content as Uint8Array) };
  };
  await page.getByLabel("Import an adapter").setInputFiles([upload(ADAPTER_CONFIG), upload(ADAPTER_WEIGHTS)]);
  await page.getByLabel("Use imported adapter").check();
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await page
    .getByRole("button", { name: /Predict 24 sentences/ })
    .last()
    .click();
  await expect(page.getByRole("alert")).toContainText("expected", { timeout: 120_000 });
  await expect(page.getByRole("alert")).toContainText("q_proj");
});
