/** The plan of an 8B's training, from its sizes alone: what a GPU of 6 GB must hold. */
import { expect, test } from "vitest";
import { LORA_TARGETS } from "../model/adapters/loraWeights.ts";
import { linearShape } from "../model/linearShape.ts";
import { type PlannedModel, sumParts } from "../model/memoryPlan.ts";
import { embeddingType, headType, linearType, type QuantizationMix } from "../model/quantizationMix.ts";
import { shapeOf } from "../model/shapes.ts";
import { PAPER_SFT } from "./config.ts";
import { type MemorySettings, trainingNeed, whatFits } from "./memory.ts";

const ROWS = 512;

function llama8b(mix: QuantizationMix): PlannedModel {
  const config = shapeOf("llama-3.1-8b");
  if (config === undefined) throw new Error("expected the sizes of llama-3.1-8b");
  const { hiddenSize: C, vocabSize: V, layers } = config;
  const norm = (name: string) => ({ name, type: "F32" as const, shape: [C] });
  const tensors = [
    { name: "token_embd.weight", type: embeddingType(mix, false, C), shape: [V, C] },
    { name: "output.weight", type: headType(C), shape: [V, C] },
    norm("output_norm.weight"),
    ...Array.from({ length: layers }, (_, layer) => [
      norm(`blk.${layer}.attn_norm.weight`),
      norm(`blk.${layer}.ffn_norm.weight`),
      ...LORA_TARGETS.map((target) => {
        const [N, K] = linearShape(config, target);
        return { name: `blk.${layer}.${target}`, type: linearType(mix, target, { layer, layers, K }), shape: [N, K] };
      }),
    ]).flat(),
  ];
  return { config, tensors, embeddingInFile: true };
}

/** r 8, all linears, each layer's input kept as f16. */
const SETTINGS: MemorySettings = {
  ...PAPER_SFT,
  ...{ rank: 8, targets: LORA_TARGETS, checkpointing: "layer", checkpointPrecision: "f16" },
};

test.each([
  ["Q4_0", 5.2],
  ["Q4_K_M", 5.5],
] as const)("%s trains within %f GB", (mix, most) => {
  const capacity = { bytes: most * 1e9, source: "setting" } as const;
  const { parts } = trainingNeed(llama8b(mix), SETTINGS, ROWS, capacity);
  const bytes = sumParts(parts);
  const shown = parts.map((part) => `${part.name} ${(part.bytes / 1e9).toFixed(3)}`).join(", ");
  expect(bytes / 1e9, shown).toBeLessThan(most);
  expect(bytes / 1e9, shown).toBeGreaterThan(4.5);
  expect(whatFits(llama8b(mix), SETTINGS, ROWS, capacity)).toBeNull();
});

test("what does not fit is told what would, and it does", () => {
  const model = llama8b("Q4_0");
  const settings: MemorySettings = { ...SETTINGS, checkpointing: "none", checkpointPrecision: "f32" };
  const capacity = { bytes: 5.4e9, source: "setting" } as const;
  const need = (changes: Partial<MemorySettings>) =>
    sumParts(trainingNeed(model, { ...settings, ...changes }, ROWS, capacity).parts);
  expect(need({})).toBeGreaterThan(capacity.bytes);
  const hint = whatFits(model, settings, ROWS, capacity);
  const [, mode = ""] = /checkpointing (\w+)/.exec(hint ?? "") ?? [];
  expect(need({ checkpointing: mode === "layer" ? mode : Number(mode) })).toBeLessThan(capacity.bytes);
  // "auto" takes that mode by itself.
  expect(String(trainingNeed(model, { ...settings, checkpointing: "auto" }, ROWS, capacity).checkpointing)).toBe(mode);
  expect(whatFits(model, settings, ROWS, { bytes: 1e9, source: "setting" })).toContain("choose a smaller model");
  const short = { bytes: 5.03e9, source: "setting" } as const;
  const [, tokens = "0"] = /passes of up to (\d+) tokens/.exec(whatFits(model, settings, ROWS, short) ?? "") ?? [];
  expect(Number(tokens)).toBeLessThan(ROWS);
});
