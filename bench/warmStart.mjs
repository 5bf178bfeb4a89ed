#!/usr/bin/env node
// A second visit with the model kept in the browser: from navigation until the engine can take a prompt, that is until
// its weights are on the device and forward's and decoding's kernels are compiled:
//   node bench/warmStart.mjs [--model FILE.gguf] [--rounds 3] [--json]
// Each round is a new browser on the profile that the first visit left. The model: SmolLM2 in OBP_MODEL_DIR.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { build, preview } from "vite";
import { args, executablePath } from "./chromium.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    model: { type: "string", default: join(process.env.OBP_MODEL_DIR ?? ".", "SmolLM2-135M-Instruct.Q4_1.gguf") },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
if (!existsSync(values.model)) {
  throw new Error(`expected a model at ${values.model}, got none (set OBP_MODEL_DIR, or give --model FILE.gguf)`);
}

const folder = mkdtempSync(join(tmpdir(), "obp-warm-start-"));
const outDir = join(folder, "dist");
await build({ root, build: { outDir }, logLevel: "error" });
const server = await preview({ root, build: { outDir }, preview: { port: 0 }, logLevel: "error" });
const url = server.resolvedUrls?.local[0] ?? "";
/** The chip of the GPU says what the weights take once they are there. */
const LOADED = "button.chip.ready .number";
const READY = { timeout: 300_000 };

/** A browser on the profile, as playwright.config.ts starts it, for one visit. */
async function visit(work) {
  const context = await chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath,
    viewport: { width: 1280, height: 800 },
    args,
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on("pageerror", (error) => console.error(`page: ${error.message}`));
    return await work(page, context.browser()?.version());
  } finally {
    await context.close();
  }
}

/** Puts the model into the browser's storage the way a user does. */
async function keepModel(page) {
  await page.goto(`${url}#/models`);
  await page.getByLabel("Open a GGUF file").setInputFiles(values.model);
  const keep = page.getByRole("button", { name: "Keep in this browser" });
  await keep.click();
  await keep.waitFor({ state: "detached", ...READY });
  await page.locator(LOADED).waitFor(READY);
}

/** Seconds of each phase; "ready" from navigation. The worker's measures are laid on the page's clock. */
async function warmStart(page, browser) {
  await page.goto(url);
  await page.locator(LOADED).waitFor(READY);
  const navigation = await page.evaluate(() => globalThis.performance.timeOrigin);
  const [worker] = page.workers();
  const { origin, measures } = await worker.evaluate(() => ({
    origin: globalThis.performance.timeOrigin,
    measures: globalThis.performance
      .getEntriesByType("measure")
      .map(({ name, startTime, duration }) => ({ name, startTime, duration })),
  }));
  const workerStart = (origin - navigation) / 1000;
  const phases = measures.map(({ name, startTime, duration }) => ({
    name,
    start: workerStart + startTime / 1000,
    seconds: duration / 1000,
  }));
  const adapter = await page.locator("button.chip.ready").getAttribute("title");
  const ready = Math.max(...phases.map(({ start, seconds }) => start + seconds));
  return {
    browser,
    adapter,
    ready,
    phases: [{ name: "page, until the worker begins", start: 0, seconds: workerStart }, ...phases],
  };
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

try {
  await visit(keepModel);
  const rounds = [];
  for (let round = 0; round < Number(values.rounds); round++) rounds.push(await visit(warmStart));
  const [{ browser, adapter, phases }] = rounds;
  const result = {
    model: basename(values.model),
    ...{ browser, adapter },
    ready: rounds.map(({ ready }) => ready),
    median: median(rounds.map(({ ready }) => ready)),
    phases: phases.map(({ name }) => {
      const of = (key) =>
        median(rounds.map((round) => round.phases.find((phase) => phase.name === name)?.[key] ?? NaN));
      return { name, start: of("start"), seconds: of("seconds") };
    }),
  };
  if (values.json) {
    console.log(JSON.stringify(result, null, 2));
  } else {
    const all = result.ready.map((ready) => ready.toFixed(2)).join(", ");
    console.log(`${result.model}, Chromium ${browser}, ${adapter}`);
    console.log(`ready to take a prompt after ${result.median.toFixed(2)} s (median of ${all})`);
    for (const { name, start, seconds } of result.phases) {
      console.log(`${name.padEnd(32)} from ${start.toFixed(2).padStart(6)} s  ${seconds.toFixed(3).padStart(8)} s`);
    }
  }
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
