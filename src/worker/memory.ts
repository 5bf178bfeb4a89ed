// GPU memory that a model needs to predict and to train, and whether this device has it.

import { type GpuCapacity, judge } from "../gpu/capacity.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { decodingParts, type MemoryPart, type PlannedModel, sumParts, weightParts } from "../model/memoryPlan.ts";
import { plannedDecoder } from "../predict/predict.ts";
import { PAPER_SFT, type TrainConfig } from "../train/config.ts";
import { type MemorySettings, trainingNeed, whatFits } from "../train/memory.ts";
import { packCapacity } from "../train/packing.ts";
import type { MemoryNeed, ModelMemory } from "./protocol.ts";

/** What a model needs for prompts and answers of up to `tokens` tokens together. @param capacity null: there is no device */
export function modelMemory(
  gguf: GgufFile,
  config: LlamaConfig,
  settings: MemorySettings & Pick<TrainConfig, "packTokens" | "gradAccumSteps">,
  tokens: number,
  capacity: GpuCapacity | null,
): ModelMemory {
  const known = capacity ?? { bytes: 0, source: "largest buffer" };
  const inGpu: PlannedModel = { config, tensors: [...gguf.tensors.values()], embeddingInFile: false };
  const inFile = { ...inGpu, embeddingInFile: true };
  const rows = packCapacity(settings.packTokens, tokens, settings.gradAccumSteps);
  const decoding = (model: PlannedModel): MemoryPart[] => [
    ...weightParts(model, tokens),
    ...decodingParts(model, settings, plannedDecoder(config, tokens)),
  ];
  const training = (model: PlannedModel): readonly MemoryPart[] => trainingNeed(model, settings, rows, known).parts;
  // As the engine decides: the embedding leaves the GPU where memory is short.
  const need = (partsOf: (model: PlannedModel) => readonly MemoryPart[]): MemoryNeed => {
    const own = needOf(partsOf(inGpu), capacity);
    return own.verdict === "yes" || config.tiedEmbeddings ? own : needOf(partsOf(inFile), capacity);
  };
  const forTraining = need(training);
  const fits = forTraining.verdict === "no" && capacity !== null ? whatFits(inFile, settings, rows, capacity) : null;
  return {
    tokens,
    inference: need(decoding),
    training: fits === null ? forTraining : { ...forTraining, reason: `${forTraining.reason}; ${fits}` },
  };
}

/** Whether an untied embedding stays in the file: where training with it on the GPU would not fit comfortably. */
export function embeddingLeaves(gguf: GgufFile, config: LlamaConfig, capacity: GpuCapacity): boolean {
  const model: PlannedModel = { config, tensors: [...gguf.tensors.values()], embeddingInFile: false };
  const rows = Math.min(PAPER_SFT.maxLength, config.contextLength);
  const { parts } = trainingNeed(model, PAPER_SFT, rows, capacity);
  return !config.tiedEmbeddings && judge(sumParts(parts), capacity).verdict !== "yes";
}

/** Whether the weights alone fit comfortably: a small part of what predicting needs comes on top. */
export function weightsFit(gguf: GgufFile, config: LlamaConfig, capacity: GpuCapacity): boolean {
  const embeddingInFile = embeddingLeaves(gguf, config, capacity);
  const model: PlannedModel = { config, tensors: [...gguf.tensors.values()], embeddingInFile };
  return judge(sumParts(weightParts(model, 0)), capacity).verdict === "yes";
}

function needOf(parts: readonly MemoryPart[], capacity: GpuCapacity | null): MemoryNeed {
  const bytes = sumParts(parts);
  const verdict =
    capacity === null ? ({ verdict: "no", reason: "there is no WebGPU device" } as const) : judge(bytes, capacity);
  return { bytes, parts: parts.map((part) => ({ ...part })), ...verdict };
}
