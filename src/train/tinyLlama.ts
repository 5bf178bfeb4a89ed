/** Test helper: a tiny Llama with a filled adapter, and gradients held against the slope of their own loss. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "./config.ts";
import type { Gradients } from "./gradients.ts";

/** 40 tokens, 2 layers. */
export async function openTinyLlama(): Promise<{ llama: Llama; lora: Lora }> {
  const file = readFileSync(new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url));
  const llama = await Llama.load(await testGpu(), await openGguf(bytesSource(file, "tiny.gguf")));
  await llama.prepareTraining();
  const fresh = Lora.create(llama, { ...PAPER_SFT, dropout: 0, rank: 4 }, 1);
  const { config, tensors } = await fresh.read();
  fresh.destroy();
  const filled = new Map(
    [...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.map((_, i) => 0.1 * Math.sin(i + 1)) }]),
  );
  return { llama, lora: Lora.fromWeights(llama, { config, tensors: filled }) };
}

/** Moves the adapter a little up and down along its gradient: the loss must rise as steeply as the gradient is long. */
export async function expectSlope(
  llama: Llama,
  lora: Lora,
  measure: (adapter: Lora) => Promise<Gradients>,
): Promise<void> {
  const { gradients } = await measure(lora);
  const { config, tensors } = await lora.read();
  const lossAt = async (step: number) => {
    const moved = new Map(
      [...tensors].map(([name, { shape, data }]) => [
        name,
        { shape, data: data.map((value, i) => value + step * (gradients.tensors.get(name)?.data[i] ?? NaN)) },
      ]),
    );
    const other = Lora.fromWeights(llama, { config, tensors: moved });
    const { loss } = await measure(other);
    other.destroy();
    return loss;
  };
  const squares = [...gradients.tensors.values()].reduce(
    (sum, { data }) => sum + data.reduce((total, value) => total + value * value, 0),
    0,
  );
  expect(squares).toBeGreaterThan(0);
  const step = 0.02 / Math.sqrt(squares);
  const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
  expect(slope / squares).toBeCloseTo(1, 2);
}
