// Source pre-training in the studio: corpora kept in the browser, their types, and stages one after the other. A few short
// sentences and one or two steps: Chromium's software GPU takes seconds for each.

import { expect, type Page } from "@playwright/test";
import { figure, keepOneSentence, status, train } from "./training.ts";
import { openStudio, test } from "./studio.ts";

const SLOW = { timeout: 500_000 };
const file = (name: string, text: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
const zoo = file(
  "zoo.conll",
  "Owls\tB-animal\nsleep\tO\n\nBears\tB-animal\nfish\tO\n\nLima\tB-place\nwaits\tO\n\nIt\tO\nrains\tO\n",
);

const add = (page: Page, ...files: readonly ReturnType<typeof file>[]) =>
  page.getByLabel("Add source corpora").setInputFiles([...files]);
const corpora = (page: Page) => page.getByRole("list", { name: "Corpora" }).getByRole("listitem");
const stage = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const include = (page: Page, name: string) => page.getByLabel(`Include ${name}`);
const start = (page: Page) => page.getByRole("button", { name: "Train", exact: true });
const runs = (page: Page) => page.getByRole("table", { name: "Runs" }).locator("tbody tr");

/** The files in OPFS folder `corpora`. */
function keptFiles(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const names: string[] = [];
    for await (const name of (await root.getDirectoryHandle("corpora", { create: true })).keys()) names.push(name);
    return names;
  });
}

/** Gives the only corpus another fingerprint, as if its file were another. @returns the one it had */
function changeFingerprint(page: Page, fingerprint: string): Promise<string> {
  return page.evaluate(
    (other) =>
      new Promise<string>((resolve, reject) => {
        const opening = indexedDB.open("obp-studio");
        opening.onerror = () => reject(new Error("expected the studio's database"));
        opening.onsuccess = () => {
          const store = opening.result.transaction("corpora", "readwrite").objectStore("corpora");
          const all = store.getAll() as IDBRequest<{ fingerprint: string }[]>;
          all.onsuccess = () => {
            const [record] = all.result;
            if (record === undefined) reject(new Error("expected a corpus, got none"));
            else store.put({ ...record, fingerprint: other }).onsuccess = () => resolve(record.fingerprint);
          };
        };
      }),
    fingerprint,
  );
}

/** Goes to the stage and fills in its settings; held-out sentences are left alone. */
async function set(page: Page, name: string, settings: Record<string, string>): Promise<void> {
  await stage(page, name).click();
  for (const [label, value] of Object.entries(settings)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByLabel("Predict held-out").selectOption("never");
}

test("corpora are kept where they are sound, deleted and had back; their types are defined", async ({ page }) => {
  await openStudio(page, "#/train");
  await include(page, "Source").check();
  await include(page, "SFT + contrastive").uncheck();
  await expect(page.getByText("expected at least one source corpus, got none")).toBeVisible();
  await expect(start(page)).toBeDisabled();

  await add(
    page,
    file("cut.jsonl", '{"text":"Ann left.","entities":[{"start":0,"end":3,"type":"person"}]}\n{"text":"Bo st'),
    file("cut.conll", "Ann\tB-person\nleft\tO\n\nBo\tB-pers"),
    file("paper.pdf", "%PDF-1.7 0 0 0"),
    file("plain.conll", "It\tO\nrains\tO\n"),
  );
  const alerts = page.getByRole("alert");
  await expect(alerts).toHaveText([
    /^expected cut\.jsonl to end with a whole sentence, got one cut short: line 2/,
    /^expected cut\.conll to end with a whole sentence, got one that ends in the type "pers"/,
    /^expected to read paper\.pdf, got: expected one of the formats/,
    /^expected labelled sentences in plain\.conll, got no entity/,
  ]);
  await expect(corpora(page)).toHaveCount(0);
  expect(await keptFiles(page)).toEqual([]);

  await add(page, zoo);
  await expect(corpora(page)).toHaveText([/zoo\.conll.*4 sentences · animal 2, place 1/s]);
  await add(page, { ...zoo, name: "again.conll" });
  await expect(alerts.last()).toContainText("got again.conll again (it was added as zoo.conll)");
  expect(await keptFiles(page)).toHaveLength(1);

  const types = page.getByRole("group", { name: "Types of the corpora" });
  await expect(page.getByText("expected a definition of at least one type of the source corpora")).toBeVisible();
  await types.getByLabel("What animal refers to").fill("living things that move");
  await expect(types.getByText("Types without a definition take no part: place")).toBeVisible();
  await expect(start(page)).toBeEnabled();
  await types
    .getByLabel("Load types.json")
    .setInputFiles(file("types.json", '{"place": "names of places", "tool": "x"}'));
  await expect(types.getByRole("heading")).toHaveText("Types: 2 of 2 defined");
  await types.getByRole("button", { name: "Undo" }).click();
  await expect(types.getByLabel("What place refers to")).toHaveValue("");

  await page.getByLabel("Learn from zoo.conll").uncheck();
  await expect(start(page)).toBeDisabled();
  await page.getByLabel("Learn from zoo.conll").check();
  await page.getByRole("button", { name: "Delete zoo.conll" }).click();
  await expect(corpora(page)).toHaveCount(0);
  await page.getByRole("region", { name: "Source corpora" }).getByRole("button", { name: "Undo" }).click();
  await expect(corpora(page)).toHaveCount(1);

  await page.reload();
  await stage(page, "Source").click();
  await expect(corpora(page)).toHaveCount(1);
  await expect(page.getByLabel("What animal refers to")).toHaveValue("living things that move");
});

test("reading a corpus can be stopped, and leaves nothing of it", async ({ page }) => {
  await openStudio(page, "#/train");
  await stage(page, "Source").click();
  await add(page, file("large.conll", "Owls\tB-animal\nsleep\tO\n\n".repeat(1_500_000)));
  const reading = page.getByRole("region", { name: "Source corpora" }).getByRole("status");
  await expect(reading).toContainText(/reading large\.conll .* of 34\.5 MB/);
  await reading.getByRole("button", { name: "Stop" }).click();
  await expect(reading).toBeHidden();
  await expect(corpora(page)).toHaveCount(0);
  expect(await keptFiles(page)).toEqual([]);
});

/** Stops the training of that name from within the page, as soon as it is shown: a click from outside may come a step late. */
async function stopAtHeading(page: Page, name: string): Promise<void> {
  const training = page.getByRole("region", { name: "Training", exact: true });
  await training.evaluate(
    (region, title) =>
      new Promise<void>((resolve, reject) => {
        const stop = () => {
          if (![...region.querySelectorAll("h1, h2, h3")].some(({ textContent }) => textContent === title)) return;
          const button = [...region.querySelectorAll("button")].find(({ ariaLabel }) => ariaLabel === "Stop");
          observer.disconnect();
          button?.click();
          if (button === undefined) reject(new Error("expected a Stop button"));
          else resolve();
        };
        const observer = new MutationObserver(stop);
        observer.observe(region, { childList: true, subtree: true, characterData: true });
        stop();
      }),
    name,
    SLOW,
  );
}

test("stages one after the other outlive a closed tab, and SFT begins with what Source made", async ({
  page,
  context,
}) => {
  await openStudio(page);
  await keepOneSentence(page);
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await include(page, "Source").check();
  await add(page, zoo);
  await page.getByLabel("What animal refers to").fill("living things that move");
  const short = { "Prompts a step": "1", "Warm-up": "0" };
  await page.getByText("Advanced").click();
  await set(page, "Source", { ...short, "Step limit": "3", "LoRA rank": "4", "Save every": "1" });
  await set(page, "SFT + contrastive", { ...short, "Step limit": "1", "Prompts a step": "3" });
  await expect(page.getByText("Begins with the adapter that Source makes.")).toBeVisible();
  await expect(page.getByLabel("LoRA rank")).toBeDisabled();
  await expect(page.getByLabel("LoRA rank")).toHaveValue("4");

  await train(page);
  await expect(status(page)).toContainText("reading the corpora", SLOW);
  await expect(page.getByText("entities of types without a definition: place (1)")).toBeVisible(SLOW);
  // The state after step 1 is saved before step 2 begins.
  await expect(figure(page, "Step")).toHaveText("2/3", SLOW);
  await page.close();

  const again = await context.newPage();
  await openStudio(again, "#/train");
  const banner = again.getByRole("status", { name: "Interrupted training" });
  await expect(banner).toContainText(/Source: Kitchen notes 1 was interrupted.*from step [12] of 3/);
  const resume = banner.getByRole("button", { name: "Resume" });
  const hash = await changeFingerprint(again, "another");
  await resume.click();
  await expect(again.getByRole("alert")).toContainText("expected the training data of the checkpoint");
  await changeFingerprint(again, hash);
  await resume.click();

  // The stage that follows is stopped before its first step, which is soon done: it is still to come.
  await stopAtHeading(again, "Kitchen notes 2");
  await expect(status(again)).toContainText("stopped", SLOW);
  const remain = again.getByRole("status", { name: "Stages that remain" });
  await expect(remain).toContainText("Source: Kitchen notes 1 is finished. Still to come: SFT + contrastive.");
  await again.reload();
  await remain.getByRole("button", { name: "Go on" }).click();
  await expect(remain).toBeHidden();
  await expect(status(again)).toContainText("finished", SLOW);
  await expect(runs(again)).toHaveCount(2);
  await expect(runs(again).nth(0)).toContainText("SFT");
  await expect(runs(again).nth(1)).toContainText("Source");
  await expect(again.getByLabel("Adapter in use").locator("option:checked")).toHaveText("SFT: Kitchen notes 2");

  await include(again, "Source").uncheck(); // which stages are on outlives a reload
  await stage(again, "SFT + contrastive").click();
  const choice = again.getByLabel("Begins with");
  await expect(choice.locator("option")).toHaveText([
    "a fresh adapter",
    "SFT: Kitchen notes 2",
    "Source: Kitchen notes 1",
  ]);
  await expect(choice.locator("option:checked")).toHaveText("a fresh adapter");
  await choice.selectOption("Source: Kitchen notes 1");
  await expect(again.getByLabel("LoRA rank")).toHaveValue("4");
  await set(again, "SFT + contrastive", { ...short, "Step limit": "1" });
  await train(again);
  await expect(status(again)).toContainText("finished", SLOW);

  await stage(again, "Source").click();
  await again.getByRole("button", { name: "Delete zoo.conll" }).click();
  await add(again, file("other.conll", "Elks\tB-animal\nrun\tO\n"));
  await expect(corpora(again)).toHaveCount(1);
  await runs(again).last().getByRole("button", { name: "Run again" }).click();
  await expect(status(again)).toContainText(
    "expected the corpora that the training began with, got one that was deleted",
  );
  await expect(runs(again)).toHaveCount(3);
  await again.keyboard.press("g");
  await again.keyboard.press("m");
  const adapters = again.getByRole("table", { name: "Adapters" }).locator("tbody tr");
  await expect(adapters).toHaveCount(3);
  // Rank 4 is the source adapter's, in the chain and on its own.
  for (const row of await adapters.all()) await expect(row.locator("td").nth(6)).toHaveText("4");
});

test("two stages are trained in one go", async ({ page }) => {
  await openStudio(page);
  await keepOneSentence(page);
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await include(page, "Source").check();
  await add(page, zoo);
  await page.getByLabel("What animal refers to").fill("living things that move");
  for (const name of ["Source", "SFT + contrastive"])
    await set(page, name, { "Prompts a step": "1", "Step limit": "1" });
  await expect(page.getByText("Source → SFT + contrastive, in turn.")).toBeVisible();
  await stage(page, "Source").click();
  await page.getByRole("button", { name: "Measure 3 steps" }).click();
  const time = page.getByText("Training time", { exact: true }).locator("..");
  await expect(time).toContainText(/about [\d.]+ s/, SLOW);
  await expect(start(page)).toBeEnabled();
  await train(page);
  await expect(status(page)).toContainText("finished", SLOW);
  await expect(runs(page)).toHaveCount(2);
  await expect(page.getByLabel("Adapter in use").locator("option:checked")).toHaveText("SFT: Kitchen notes 2");
  await expect(page.getByRole("status", { name: "Stages that remain" })).toBeHidden();
});
