// What earlier versions of the studio kept in the browser is all there in this one.

import { expect, type Page } from "@playwright/test";
import { saved, test, textView, word } from "./studio.ts";

const TEXT = "The night train to Brno leaves from the old station.";
const PROJECT = { name: "Timetables", types: [{ name: "place", definition: "a town or a station" }], order: ["a"] };
const DOCUMENT = {
  ...{ id: "a", text: TEXT, split: "train", done: true },
  entities: [{ start: TEXT.indexOf("Brno"), end: TEXT.indexOf("Brno") + 4, type: "place" }],
};
const ADAPTER = {
  ...{ id: "one", name: "First try", model: "abc", modelName: "OBP Mini", createdAt: 1_700_000_000_000 },
  configJson: JSON.stringify({ r: 8, lora_alpha: 16, target_modules: ["q_proj"] }),
  ...{ rank: 8, alpha: 16, targets: ["q_proj"], file: "one.safetensors", bytes: 1000 },
};
/** As versions 1 and 2 kept it. */
const TRAINING = { stage: "sft", steps: 9, totalSteps: 9, lastLoss: 0.5, documents: 1 };
const RUN = {
  ...{ id: "one", name: "First try", stage: "sft", parent: null, model: "abc", modelName: "OBP Mini" },
  ...{ startedAt: 1_700_000_000_000, status: "finished", config: { epochs: 3 }, totalSteps: 9, seconds: 12 },
  ...{
    logs: [{ step: 1, epoch: 3, loss: 0.5, grad_norm: 1, learning_rate: 1e-4, num_tokens: 90 }],
    alarms: [],
    checkpoints: [],
  },
};
const INPUTS = { id: "one", documents: [], heldout: [], types: PROJECT.types, evaluate: "end", pairs: null };

/** Stores by the version that brought them: the path of the key, null where keys lie outside, and records. */
const STORES: readonly Readonly<Record<string, { keyPath: string | null; records: readonly object[] }>>[] = [
  {
    project: { keyPath: null, records: [PROJECT] },
    documents: { keyPath: "id", records: [DOCUMENT] },
    models: { keyPath: "fingerprint", records: [] },
    adapters: { keyPath: "id", records: [{ ...ADAPTER, training: TRAINING }] },
    predictions: { keyPath: "key", records: [] },
  },
  { runs: { keyPath: "id", records: [RUN] }, runInputs: { keyPath: "id", records: [INPUTS] } },
  { corpora: { keyPath: "id", records: [] }, suggestions: { keyPath: "documentId", records: [] } },
];

/** The database as a version of the studio left it. */
async function leaveDatabase(page: Page, version: number): Promise<void> {
  await page.route("**/before.html", (route) => route.fulfill({ contentType: "text/html", body: "<p>before</p>" }));
  await page.goto("/before.html");
  await page.evaluate(
    async ([version, stores]) => {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open("obp-studio", version);
        request.onupgradeneeded = () => {
          for (const [name, { keyPath, records }] of Object.entries(stores)) {
            const store = request.result.createObjectStore(name, { keyPath });
            for (const record of records) store.put(record, keyPath === null ? "current" : undefined);
          }
        };
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error("expected an empty database"));
      });
      database.close();
    },
    [version, storesOf(version)] as const,
  );
}

/** Records as that version had them: the third knew of scores, parents and what comes next. */
function storesOf(version: number) {
  const stores = Object.assign({}, ...STORES.slice(0, version)) as (typeof STORES)[number];
  if (version === 1) return stores;
  const training = { ...TRAINING, parent: null, config: { epochs: 3 } };
  const adapters = { keyPath: "id", records: [{ ...ADAPTER, training }] };
  if (version === 2) return { ...stores, adapters };
  const runs = { keyPath: "id", records: [{ ...RUN, scores: [], pinned: true }] };
  const inputs = { ...INPUTS, corpora: [], corpusTypes: [], next: [] };
  return { ...stores, adapters, runs, runInputs: { keyPath: "id", records: [inputs] } };
}

for (const version of [1, 2, 3]) {
  test(`labels, adapters and runs of version ${version} of the database`, async ({ page }) => {
    await leaveDatabase(page, version);
    await page.goto("/");
    await expect(page.getByLabel("Project name")).toHaveValue("Timetables");
    await expect(textView(page)).toContainText("leaves from the old station.");
    await expect(page.getByRole("list", { name: "Entities" }).getByRole("listitem")).toContainText("Brno");
    await page.goto("/#/models");
    await expect(page.getByRole("radio", { name: "Use First try" })).toBeVisible();
    await page.goto("/#/train");
    if (version > 1) {
      const row = page.getByRole("table", { name: "Runs" }).locator("tbody tr");
      await expect(row).toContainText("finished");
      const pin = row.getByRole("button", { name: "Pin First try" });
      await expect(pin).toHaveAttribute("aria-pressed", String(version === 3));
    }
    // What is new goes into the same database.
    await page.goto("/#/label");
    await word(page, "station").click();
    await page.keyboard.press("1");
    await saved(page);
    await page.reload();
    await expect(page.getByRole("list", { name: "Entities" }).getByRole("listitem")).toHaveCount(2);
  });
}
