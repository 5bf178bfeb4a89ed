import { describe, expect, it } from "vitest";
import type { GpuCapacity } from "../gpu/capacity.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { PAPER_SFT } from "../train/config.ts";
import { modelMemory } from "./memory.ts";

/** Shapes of Llama-3.1-8B (design page engine.md). */
const llama8b: LlamaConfig = {
  name: "Llama-3.1-8B",
  layers: 32,
  hiddenSize: 4096,
  heads: 32,
  kvHeads: 8,
  headDim: 128,
  feedForwardSize: 14336,
  vocabSize: 128256,
  contextLength: 131072,
  ropeTheta: 500000,
  ropeFactors: null,
  rmsNormEps: 1e-5,
  tiedEmbeddings: false,
  bosTokenId: 128000,
  eosTokenId: 128001,
  addBos: true,
};

function file(tensors: [string, "Q4_0" | "F32", number[]][]): GgufFile {
  const source = { name: "m.gguf", size: 0, read: () => Promise.resolve(new Uint8Array()) };
  return {
    name: "m.gguf",
    version: 3,
    metadata: new Map(),
    tensors: new Map(
      tensors.map(([name, type, shape]) => [name, { name, type, shape, source, offset: 0, byteLength: 0 }]),
    ),
    fileBytes: 0,
  };
}

describe("modelMemory", () => {
  const gguf = file([["w", "Q4_0", [1_000_000, 4096]]]);

  it("judges against what is known of the memory, and says no without a device", () => {
    const need = (capacity: GpuCapacity | null) =>
      modelMemory(gguf, llama8b, PAPER_SFT, 512, capacity).training.verdict;
    expect(need({ bytes: 64e9, source: "machine" })).toBe("yes");
    expect(need({ bytes: 4e9, source: "machine" })).toBe("tight");
    expect(need({ bytes: 1e9, source: "setting" })).toBe("no");
    expect(need({ bytes: 1e9, source: "largest buffer" })).toBe("tight");
    expect(need({ bytes: 8e9, source: "largest buffer" })).toBe("yes");
    expect(need(null)).toBe("no");
  });

  it("needs more to train than to predict, and more for longer prompts", () => {
    const settings = { ...PAPER_SFT, checkpointing: "layer" } as const;
    const at = (tokens: number) => modelMemory(gguf, llama8b, settings, tokens, { bytes: 16e9, source: "machine" });
    expect(at(256).training.bytes).toBeGreaterThan(at(256).inference.bytes);
    expect(at(1024).training.bytes).toBeGreaterThan(at(256).training.bytes);
    expect(at(512).training.bytes).toBe(at(256).training.bytes); // packed, both are passes of 512 tokens
    const { parts, bytes } = at(256).training;
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
  });
});
