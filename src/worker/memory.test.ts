import { describe, expect, it } from "vitest";
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

  it("judges against main memory, and says no without a device", () => {
    const need = (mainMemory: number | null, maxBufferSize: number | null) =>
      modelMemory(gguf, llama8b, PAPER_SFT, 512, { mainMemory, maxBufferSize }).training.verdict;
    expect(need(64e9, 2e9)).toBe("yes");
    expect(need(4e9, 2e9)).toBe("tight");
    expect(need(2e9, 2e9)).toBe("no");
    expect(need(64e9, null)).toBe("no");
    expect(need(null, 1e9)).toBe("tight");
  });

  it("needs more to train than to predict, and more for longer prompts", () => {
    const at = (tokens: number) =>
      modelMemory(gguf, llama8b, PAPER_SFT, tokens, { mainMemory: 16e9, maxBufferSize: 2e9 });
    expect(at(256).training.bytes).toBeGreaterThan(at(256).inference.bytes);
    expect(at(512).training.bytes).toBeGreaterThan(at(256).training.bytes);
    const { parts, bytes } = at(256).training;
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
  });
});
