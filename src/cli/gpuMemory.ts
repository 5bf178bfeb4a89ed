// Whether the GPU's memory suffices, said before anything is loaded, and what leaves it where it is short.
import { type GpuCapacity, gigabytes, judge } from "../gpu/capacity.ts";
import { type MemoryPart, type PlannedModel, sumParts, weightParts } from "../model/memoryPlan.ts";
import { type MemorySettings, trainingNeed, whatFits } from "../train/memory.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";

/** A model whose header has been read. */
interface Opened {
  readonly gguf: GgufFile;
  readonly config: LlamaConfig;
}

/** Tokens that a pass is reckoned with where nothing else is known. */
const TOKENS = 512;

/**
 * Where an untied embedding goes for a training on passes of up to `rows` tokens: true, it stays in the file.
 * @throws Error where the memory does not suffice, with what would fit
 */
export function planTrainingMemory(
  opened: Opened,
  settings: MemorySettings,
  rows: number,
  capacity: GpuCapacity,
  note: (line: string) => void,
): boolean {
  const need = (model: PlannedModel) => trainingNeed(model, settings, rows, capacity).parts;
  const { embeddingInFile, bytes } = place(opened, need, capacity);
  const { verdict, reason } = judge(bytes, capacity);
  if (verdict === "no") {
    const hint = whatFits(planned(opened, true), settings, rows, capacity) ?? "choose a smaller model";
    throw new Error(
      `expected a training within ${gigabytes(capacity.bytes)} of GPU memory, got one that needs ${gigabytes(bytes)} (${hint})`,
    );
  }
  if (verdict === "tight") {
    note(`GPU memory is tight: training needs ${gigabytes(bytes)}; ${reason}`);
  }
  return embeddingInFile;
}

/** The same where nothing is trained. */
export function planEmbedding(opened: Opened, capacity: GpuCapacity): boolean {
  return place(opened, (model) => weightParts(model, TOKENS), capacity).embeddingInFile;
}

/** An untied embedding leaves the GPU where it does not fit comfortably with all else. */
function place(
  opened: Opened,
  need: (model: PlannedModel) => readonly MemoryPart[],
  capacity: GpuCapacity,
): { embeddingInFile: boolean; bytes: number } {
  const bytes = sumParts(need(planned(opened, false)));
  const embeddingInFile = judge(bytes, capacity).verdict !== "yes" && !opened.config.tiedEmbeddings;
  return { embeddingInFile, bytes: embeddingInFile ? sumParts(need(planned(opened, true))) : bytes };
}

function planned({ config, gguf }: Opened, embeddingInFile: boolean): PlannedModel {
  return { config, tensors: [...gguf.tensors.values()], embeddingInFile };
}
