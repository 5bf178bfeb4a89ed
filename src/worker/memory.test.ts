import { describe, expect, it } from "vitest";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { loraParameters, modelMemory, weightBytes } from "./memory.ts";

/** Shapes of Llama-3.1-8B (design page engine.md), whose LoRA size is known from PEFT. */
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
const qkvo = { rank: 8, targets: ["q_proj", "k_proj", "v_proj", "o_proj"] } as const;

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

describe("loraParameters", () => {
  it("is what PEFT prints as trainable for r = 8 on an 8B", () => {
    expect(loraParameters(llama8b, qkvo)).toBe(6_815_744);
    const allLinear = [...qkvo.targets, "gate_proj", "up_proj", "down_proj"] as const;
    expect(loraParameters(llama8b, { rank: 8, targets: allLinear })).toBe(20_971_520);
  });
});

describe("weightBytes", () => {
  it("counts 4 bits and a scale pair per 32 for Q4_0, 4 bytes for norms", () => {
    expect(
      weightBytes(
        file([
          ["w", "Q4_0", [64, 256]],
          ["norm", "F32", [256]],
        ]),
      ),
    ).toBe((64 * 256) / 2 + 64 * 8 * 4 + 1024);
  });
});

describe("modelMemory", () => {
  const gguf = file([["w", "Q4_0", [1_000_000, 4096]]]);

  it("judges against main memory, and says no without a device", () => {
    const need = (mainMemory: number | null, maxBufferSize: number | null) =>
      modelMemory(gguf, llama8b, qkvo, 512, { mainMemory, maxBufferSize }).training.verdict;
    expect(need(64e9, 2e9)).toBe("yes");
    expect(need(4e9, 2e9)).toBe("tight");
    expect(need(2e9, 2e9)).toBe("no");
    expect(need(64e9, null)).toBe("no");
    expect(need(null, 1e9)).toBe("tight");
  });

  it("needs more to train than to predict, and more for longer prompts", () => {
    const at = (tokens: number) => modelMemory(gguf, llama8b, qkvo, tokens, { mainMemory: 16e9, maxBufferSize: 2e9 });
    expect(at(256).training.bytes).toBeGreaterThan(at(256).inference.bytes);
    expect(at(512).training.bytes).toBeGreaterThan(at(256).training.bytes);
    const { parts, bytes } = at(256).training;
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
  });
});
