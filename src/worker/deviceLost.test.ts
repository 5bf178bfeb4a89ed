/** A device that goes away while something moves on screen: said in words, what was shown stays, and another goes on. */
import { readFileSync } from "node:fs";
import { create } from "webgpu";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGpu, type Gpu } from "../gpu/device.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { bundledGguf } from "../model/testBundled.ts";
import type { Document } from "../ner/document.ts";
import { PRESETS } from "../train/presets.ts";
import type { InspectInput } from "./inspectInput.ts";
import { readSpace, spaceView } from "./inspectSpace.ts";
import { LiveAttention } from "./liveAttention.ts";
import { readModel, type OpenModel } from "./modelFacts.ts";
import type { LiveProgress, LiveRequest, SpaceProgress, SpaceRequest } from "./protocol.ts";

const drawn = { scale: "linear", hideFirst: false, difference: false } as const;
const [butter, pan] = [
  { start: 5, end: 11, type: "food" },
  { start: 17, end: 20, type: "tool" },
];
const document: Document = { id: "one", text: "Melt butter in a pan.", entities: [butter, pan] };
const types = [
  { name: "food", definition: "what one eats" },
  { name: "tool", definition: "what one cooks with" },
];

let model: OpenModel;
let sound: Llama;
beforeAll(async () => {
  const file = readFileSync(new URL("../../public/models/obp-mini.gguf", import.meta.url));
  model = await readModel(new Blob([file]), "obp-mini.gguf", { origin: "bundled", cached: true });
  sound = await Llama.load(await testGpu(), await bundledGguf());
});
afterAll(() => sound.destroy());

/** The model on a device that may be lost. */
async function another(): Promise<{ gpu: Gpu; llama: Llama }> {
  const gpu = await openGpu(create([]));
  return { gpu, llama: await Llama.load(gpu, await bundledGguf()) };
}
const { signal } = new AbortController();

test("live map: what was taken stays, and goes on where the sentence is followed again", async () => {
  const { gpu, llama } = await another();
  const request: LiveRequest = {
    document,
    type: types[0] ?? { name: "", definition: "" },
    layer: 0,
    head: 2,
    every: 3,
  };
  const heard: LiveProgress[] = [];
  const steps = (): number[] | string => {
    const last = heard.at(-1);
    return last?.kind === "maps" ? last.moments.map(({ step }) => step) : (last?.message ?? "nothing");
  };
  const live = new LiveAttention();
  live.follow(request, (progress) => heard.push(progress));
  const training = { model, run: { id: "a", name: "one", parent: null }, signal };
  const watch = live.watch({ ...training, llama, lora: Lora.create(llama, PRESETS.sft.quick, 1) });
  await watch(0, false);
  expect(steps()).toEqual([0]);
  gpu.device.destroy();
  await watch(3, false);
  expect(steps()).toMatch(/^expected the GPU device .* to stay, got it lost \(.*load the model again\)$/);
  expect(live.map(0, drawn).view.maps.map(({ name }) => name)).toEqual(["step 0"]);
  await watch(6, true);
  expect(heard).toHaveLength(2); // it is said once

  live.follow(request, (progress) => heard.push(progress));
  const lora = Lora.create(sound, PRESETS.sft.quick, 1);
  await live.watch({ ...training, llama: sound, lora })(3, false);
  lora.destroy();
  expect(steps()).toEqual([0, 3]);
});

test("space in mid-animation: said, and the same question is answered by another device", async () => {
  const { gpu, llama } = await another();
  const request: SpaceRequest = {
    ...{ documents: [document, { ...document, id: "two" }], types, states: [{ name: "base", adapter: null }] },
    ...{ layer: 0, representation: "key", method: "tsne", perplexity: null, iterations: 60, seed: 1, start: "random" },
  };
  const input = (of: Llama): InspectInput => ({
    ...{ llama: of, model, signal, lora: () => Promise.resolve(null), compare: () => Promise.resolve(null) },
    ...{ onProgress: () => undefined, onPhase: () => undefined },
  });
  const shown: SpaceProgress[] = [];
  const outcome = readSpace(input(llama), request, (progress) => {
    shown.push(progress);
    if (progress.kind === "positions" && progress.iteration === 20) gpu.device.destroy();
  });
  await expect(outcome).rejects.toThrow(/^expected the GPU device .* to stay, got it lost/);
  expect(shown.map((progress) => (progress.kind === "positions" ? progress.iteration : 0))).toEqual([0, 10, 20]);
  const view = spaceView(await readSpace(input(sound), request, () => undefined));
  expect([view.iterations, view.maps[0]?.positions.length]).toEqual([60, 8]);
});
