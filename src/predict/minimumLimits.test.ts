/**
 * The bundled model on a device with nothing but what WebGPU guarantees everywhere: no feature, 8 storage buffers a stage,
 * 128 MiB a binding, 16 KiB of workgroup memory. It gives what a device with all limits and features gives.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Gpu } from "../gpu/device.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { LORA_TARGETS } from "../model/adapters/loraWeights.ts";
import { Llama } from "../model/llama.ts";
import { bundledGguf } from "../model/testBundled.ts";
import { Lora } from "../model/lora.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { PAPER_SFT } from "../train/config.ts";
import { Trainer } from "../train/trainer.ts";
import { predictDocuments } from "./predict.ts";

const least = await testGpu({ limits: "default" });
const all = await testGpu();
const loaded: Llama[] = [];
let tokenizer: Tokenizer;

async function load(gpu: Gpu): Promise<Llama> {
  const gguf = await bundledGguf();
  tokenizer = Tokenizer.fromGguf(gguf);
  const llama = await Llama.load(gpu, gguf);
  loaded.push(llama);
  return llama;
}
beforeAll(async () => {
  await load(least);
  await load(all);
});
afterAll(() => loaded.forEach((llama) => llama.destroy()));

test("the device has the least limits and no feature", () => {
  const { limits, features } = least.device;
  expect(limits.maxStorageBuffersPerShaderStage).toBe(8);
  expect(limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
  expect(limits.maxComputeWorkgroupStorageSize).toBe(16384);
  for (const feature of ["timestamp-query", "shader-f16", "subgroups"] as const) {
    expect(features.has(feature)).toBe(false);
  }
});

test("one training step and one prediction are those of a device with everything", async () => {
  const results = [];
  for (const llama of loaded) {
    const config = { ...PAPER_SFT, rank: 4, targets: LORA_TARGETS, gradAccumSteps: 1, learningRate: 1e-2 };
    const lora = Lora.create(llama, config, 3);
    const ids = Array.from({ length: 40 }, (_, i) => (97 * i + 5) % llama.config.vocabSize);
    const trainer = await Trainer.create(llama, lora, [{ name: "a", ids, responseStart: 30 }], config);
    const log = await trainer.step();
    trainer.destroy();
    const document = { id: "d", text: "Ada Lovelace met Charles Babbage in London.", entities: [] };
    const types = [{ name: "person", definition: "a human being with a name" }];
    const answers = [];
    const { tensors } = await lora.read();
    for await (const prediction of predictDocuments(llama, lora, tokenizer, [document], types, { mode: "span" })) {
      answers.push(prediction);
    }
    lora.destroy();
    results.push({ log, answers, weights: [...tensors.values()].map(({ data }) => data) });
  }
  const [own, other] = results;
  expect(own?.log.loss).toBeCloseTo(other?.log.loss ?? NaN, 4);
  expect((own?.log.grad_norm ?? NaN) / (other?.log.grad_norm ?? NaN)).toBeCloseTo(1, 3);
  const spans = (result: typeof own) =>
    result?.answers.map(({ entities, responses }) => [entities.map(({ start, end }) => [start, end]), responses]);
  expect(spans(own)).toEqual(spans(other));
});
