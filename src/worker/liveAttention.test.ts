/** A sentence followed in a training, on the bundled model: when its map is taken, and what failures do. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { attentionMaps } from "../inspect/attentionMap.ts";
import { mapPrompt } from "../inspect/mapPrompt.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { bundledGguf } from "../model/testBundled.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { PRESETS } from "../train/presets.ts";
import { LiveAttention, type WatchedTraining } from "./liveAttention.ts";
import type { LiveProgress, LiveRequest } from "./protocol.ts";

const document = { id: "one", text: "Melt butter.", entities: [{ start: 5, end: 11, type: "ingredient" }] };
const type = { name: "ingredient", definition: "foods" };
const request: LiveRequest = { document, type, layer: 0, head: 2, every: 3 };
const drawn = { scale: "linear", hideFirst: false, difference: false } as const;
const run = { id: "a", name: "one", parent: null };

let llama: Llama;
let lora: Lora;
let model: WatchedTraining["model"];
beforeAll(async () => {
  const gguf = await bundledGguf();
  llama = await Llama.load(await testGpu(), gguf);
  lora = Lora.create(llama, PRESETS.sft.quick, 1);
  model = { config: llama.config, tokenizer: Tokenizer.fromGguf(gguf) };
});
afterAll(() => {
  lora.destroy();
  llama.destroy();
});

function followed(asked: LiveRequest): { live: LiveAttention; heard: LiveProgress[] } {
  const [live, heard] = [new LiveAttention(), [] as LiveProgress[]];
  live.follow(asked, (progress) => heard.push(progress));
  return { live, heard };
}
const training = (signal = new AbortController().signal): WatchedTraining => ({ llama, lora, model, run, signal });
const steps = (progress: LiveProgress | undefined): number[] | string =>
  progress?.kind === "maps" ? progress.moments.map(({ step }) => step) : (progress?.message ?? "nothing");

test("a map before the first step, every few, and after the last: that of the adapter as it is then", async () => {
  const { live, heard } = followed(request);
  const watch = live.watch(training());
  for (let step = 0; step <= 7; step++) await watch(step, step === 7);
  expect(steps(heard.at(-1))).toEqual([0, 3, 6, 7]);
  const { tokenizer, config } = model;
  const { ids, responseStart: columns } = mapPrompt(tokenizer, {
    ...{ document, type, gold: document.entities, response: null, contextLength: config.contextLength },
  });
  const rows = ids.map((_, row) => row).slice(columns);
  const [direct] = await attentionMaps(llama, lora, ids, { layers: [0], head: 2, rows, columns });
  const { view, paint } = live.map(3, drawn);
  expect(view.maps.map(({ name }) => name)).toEqual(["step 0", "step 7"]);
  expect(paint.panels[1]?.values).toEqual(direct);
  // The first has no change from itself.
  const kindAt = (index: number): string => live.map(index, { ...drawn, difference: true }).paint.legend.kind;
  expect([kindAt(0), kindAt(1)]).toEqual(["linear", "difference"]);

  // A stage that goes on with this one's adapter adds to the history; another training begins anew.
  await live.watch({ ...training(), run: { id: "b", name: "two", parent: "a" } })(0, false);
  expect(steps(heard.at(-1))).toEqual([0, 3, 6, 7, 0]);
  await live.watch({ ...training(), run: { id: "c", name: "three", parent: null } })(0, false);
  expect(steps(heard.at(-1))).toEqual([0]);
});

test("who begins in the midst of a training sees it at once; nothing is taken where nothing is followed", async () => {
  const { live, heard } = followed(request);
  const watch = live.watch(training());
  await watch(1, false);
  live.follow({ ...request, head: 3 }, (progress) => heard.push(progress));
  await watch(2, false);
  expect(heard.map(steps)).toEqual([[1], [2]]);
  live.follow(null, () => undefined);
  await watch(3, true);
  expect(heard).toHaveLength(2);
  expect(live.map(0, drawn).view.head).toBe(3); // what was taken stays
  live.follow({ ...request, head: 3 }, (progress) => heard.push(progress));
  await watch(6, true);
  expect(heard.map(steps).at(-1)).toEqual([2, 6]); // and goes on
});

test("a map in the making of a sentence that is followed no more is dropped", async () => {
  const { live, heard } = followed(request);
  const watch = live.watch(training());
  const taking = watch(0, false);
  live.follow({ ...request, head: 5 }, (progress) => heard.push(progress));
  await taking;
  expect(heard).toEqual([]);
  expect(() => live.map(0, drawn)).toThrow("expected a map of a training, got none");
  await watch(1, false);
  expect(heard.map(steps)).toEqual([[1]]);
  expect(live.map(0, drawn).view.head).toBe(5);
});

test("what fails is said once, and the training hears nothing of it; a stop is no failure", async () => {
  const { live, heard } = followed({ ...request, layer: 99 });
  const watch = live.watch(training());
  await watch(0, false);
  await watch(3, false);
  expect(heard.map(steps)).toEqual([expect.stringContaining("expected a layer from 0 to 7")]);
  const long = { ...document, text: "salt ".repeat(3000), entities: [] };
  live.follow({ ...request, document: long }, (progress) => heard.push(progress));
  await watch(6, false);
  expect(steps(heard.at(-1))).toContain("within the model's context of 2048 tokens");
  const stop = new AbortController();
  const stopped = followed(request);
  stop.abort(new DOMException("stopped", "AbortError"));
  await stopped.live.watch(training(stop.signal))(0, false);
  expect(stopped.heard).toEqual([]);
});

test("weights that are no numbers are said, not drawn", async () => {
  const weights = await lora.read();
  const tensors = new Map([...weights.tensors].map(([name, one]) => [name, { ...one, data: one.data.map(() => NaN) }]));
  const broken = Lora.fromWeights(llama, { ...weights, tensors });
  const { live, heard } = followed(request);
  await live.watch({ ...training(), lora: broken })(0, false);
  broken.destroy();
  expect(steps(heard[0])).toContain("expected numbers as attention, got NaN");
});
