/** Whatever is kept or recomputed, gradients are the same: bit for bit, but for what is kept as f16. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { LORA_TARGETS } from "../model/adapters/loraWeights.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import type { Checkpointing } from "../model/residuals.ts";
import { filledLora } from "../model/testLora.ts";
import { testModelBytes } from "../model/testModel.ts";
import { PAPER_SFT, type TrainConfig } from "./config.ts";
import { Trainer } from "./trainer.ts";

const LAYERS = 7;
const gpu = await testGpu({ limits: "default" });
let llama: Llama;
let lora: Lora;
beforeAll(async () => {
  llama = await Llama.load(gpu, await openGguf(bytesSource(testModelBytes({ layers: LAYERS }), "seven.gguf")));
  lora = await filledLora(llama, { rank: 4, targets: LORA_TARGETS, deviation: 0.1 });
});
afterAll(() => {
  lora.destroy();
  llama.destroy();
});

const ids = Array.from({ length: 19 }, (_, i) => (11 * i) % 50);

async function gradients(checkpointing: Checkpointing, changes: Partial<TrainConfig> = {}): Promise<Float32Array> {
  const config = { ...PAPER_SFT, ...changes, checkpointing, targets: LORA_TARGETS };
  const trainer = await Trainer.create(llama, lora, [{ name: "a", ids, responseStart: 12 }], config);
  const { pages } = await trainer.gradients();
  const [page] = pages.buffers;
  if (page === undefined) throw new Error("expected gradients");
  const values = new Float32Array(await llama.queue.read(page));
  const bytes = trainer.gpuBytes;
  trainer.destroy();
  expect(bytes).toBeGreaterThan(0);
  return values;
}

/** |a − b| / |b|, of all gradients as one vector. */
function difference(a: Float32Array, b: Float32Array): number {
  let [squares, norm] = [0, 0];
  b.forEach((value, i) => {
    squares += ((a[i] ?? NaN) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(squares / norm);
}

describe("checkpointing", () => {
  test.each<Checkpointing>(["none", 1, 2, 3, 4, 6, 7, 100])("%s gives the gradients of each layer", async (mode) => {
    const expected = await gradients("layer");
    expect(expected.some((value) => value !== 0)).toBe(true);
    expect(await gradients(mode)).toEqual(expected);
  });

  // A residual keeps 11 bits: layers are recomputed from inputs that are off by 2⁻¹² of their size on average.
  test.each<Checkpointing>(["layer", 2, 3])("%s with f16 is within 1e-3", async (mode) => {
    const off = difference(await gradients(mode, { checkpointPrecision: "f16" }), await gradients("layer"));
    expect(off).toBeGreaterThan(0); // f16 is at work
    expect(off).toBeLessThan(1e-3);
  });

  test("f16 changes nothing where nothing is recomputed from a residual", async () => {
    const expected = await gradients("none");
    expect(await gradients("none", { checkpointPrecision: "f16" })).toEqual(expected);
    expect(await gradients(LAYERS, { checkpointPrecision: "f16" })).toEqual(expected);
  });
});
