/** The memory that is reckoned beforehand is what loading, training and predicting then hold. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { LORA_TARGETS } from "../model/adapters/loraWeights.ts";
import { readLlamaConfig } from "../model/gguf/config.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { type PlannedModel, sumParts } from "../model/memoryPlan.ts";
import { testModelBytes } from "../model/testModel.ts";
import { PAPER_SFT, type TrainConfig } from "./config.ts";
import { trainingNeed } from "./memory.ts";
import { Trainer } from "./trainer.ts";

const gpu = await testGpu();
const bundled = readFileSync(new URL("../../public/models/obp-mini.gguf", import.meta.url));
const tiny = readFileSync(new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url));
const untied = testModelBytes({ layers: 5, hiddenSize: 128, feedForwardSize: 320, vocabSize: 301 });

// As functions, so that tests' names do not print the files.
const CASES = [
  { name: "bundled, layer", file: () => bundled, settings: { checkpointing: "layer" }, tokens: 200 },
  {
    name: "bundled, none, all linears, r 16",
    file: () => bundled,
    settings: { checkpointing: "none", rank: 16, targets: LORA_TARGETS },
    tokens: 64,
  },
  { name: "tiny, layer", file: () => tiny, settings: { checkpointing: "layer", rank: 3 }, tokens: 100 },
  {
    name: "untied, every 2 layers, f16",
    file: () => untied,
    settings: { checkpointing: 2, checkpointPrecision: "f16" },
    tokens: 333,
  },
  {
    name: "untied, every 3 layers",
    file: () => untied,
    settings: { checkpointing: 3, targets: LORA_TARGETS },
    tokens: 128,
  },
  {
    name: "untied, embedding in the file",
    file: () => untied,
    embeddingInFile: true,
    settings: { checkpointing: "layer", checkpointPrecision: "f16" },
    tokens: 512,
  },
] satisfies {
  name: string;
  file: () => Uint8Array<ArrayBuffer>;
  embeddingInFile?: boolean;
  settings: Partial<TrainConfig>;
  tokens: number;
}[];

test.each(CASES)("$name: the plan is within 1 % of the pools' peak", async (one) => {
  const { tokens, embeddingInFile = false } = one;
  const gguf = await openGguf(bytesSource(one.file(), "model.gguf"));
  const config = await readLlamaConfig(gguf);
  const model: PlannedModel = { config, tensors: [...gguf.tensors.values()], embeddingInFile };
  const settings = { ...PAPER_SFT, ...one.settings, gradAccumSteps: 1 };
  const before = gpu.allocated.bytes;
  gpu.allocated.resetPeak();
  const llama = await Llama.load(gpu, gguf, { embeddingInFile });
  const ids = Array.from({ length: tokens }, (_id, i) => (3 * i) % config.vocabSize);
  const lora = Lora.create(llama, settings, 1);
  const trainer = await Trainer.create(llama, lora, [{ name: "a", ids, responseStart: tokens - 4 }], settings);
  try {
    await trainer.step();
    const plan = trainingNeed(model, settings, tokens, gpu.capacity);
    expect(sumParts(plan.parts) / (gpu.allocated.peak - before)).toBeCloseTo(1, 2);
    expect(trainer.gpuBytes + llama.gpuBytes).toBe(gpu.allocated.peak - before);
  } finally {
    trainer.destroy();
    lora.destroy();
    llama.destroy();
  }
  expect(gpu.allocated.bytes).toBe(before);
});
