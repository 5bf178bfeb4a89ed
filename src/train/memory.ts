/** What training takes of the GPU's memory, the fastest way to train that fits, and what would fit where nothing does. */
import { gigabytes, type GpuCapacity, judge } from "../gpu/capacity.ts";
import {
  headWidth,
  type MemoryPart,
  type PlannedModel,
  sumParts,
  trainingParts,
  weightParts,
} from "../model/memoryPlan.ts";
import type { Checkpointing } from "../model/residuals.ts";
import type { TrainConfig } from "./config.ts";

export type MemorySettings = Pick<TrainConfig, "rank" | "targets" | "checkpointing" | "checkpointPrecision">;

/** Modes from the fastest to the most frugal; what every 8th layer saves over every 4th is little. */
function modes(layers: number): Checkpointing[] {
  return ["none", "layer", ...[2, 4, 8].filter((every) => every < layers)];
}

/**
 * The mode that is meant, and for "auto" the fastest that fits.
 * @param bytesWith everything on the GPU with a mode
 */
export function chosenCheckpointing(
  { checkpointing }: Pick<MemorySettings, "checkpointing">,
  layers: number,
  bytesWith: (mode: Checkpointing) => number,
  capacity: GpuCapacity,
): Checkpointing {
  if (checkpointing !== "auto") {
    return checkpointing;
  }
  const judged = modes(layers).map((mode) => ({ mode, verdict: judge(bytesWith(mode), capacity).verdict }));
  const fits = judged.find(({ verdict }) => verdict === "yes");
  // Where nothing is known of the memory, what is beyond the largest buffer is a guess: recompute rather than fail.
  const tight = capacity.source === "largest buffer" ? undefined : judged.find(({ verdict }) => verdict === "tight");
  return (fits ?? tight)?.mode ?? (capacity.source === "largest buffer" ? "layer" : (judged.at(-1)?.mode ?? "layer"));
}

/** Everything on the GPU while training: weights, adapter and optimizer, activations. */
export function trainingNeed(
  model: PlannedModel,
  settings: MemorySettings,
  rows: number,
  capacity: GpuCapacity,
): { readonly parts: readonly MemoryPart[]; readonly checkpointing: Checkpointing } {
  const partsWith = (mode: Checkpointing) => needWith(model, settings, rows, mode);
  const bytesWith = (mode: Checkpointing) => sumParts(partsWith(mode));
  const checkpointing = chosenCheckpointing(settings, model.config.layers, bytesWith, capacity);
  return { parts: partsWith(checkpointing), checkpointing };
}

function needWith(
  model: PlannedModel,
  settings: MemorySettings,
  rows: number,
  checkpointing: Checkpointing,
): MemoryPart[] {
  return [
    ...weightParts(model, rows),
    ...trainingParts(model.config, headWidth(model), { ...settings, rows, checkpointing }),
  ];
}

/**
 * One sentence: what a training that does not fit may change to fit; null where it fits.
 * @param longest tokens of the longest prompt, which no pass can be shorter than
 */
export function whatFits(
  model: PlannedModel,
  settings: MemorySettings,
  rows: number,
  capacity: GpuCapacity,
): string | null {
  const fits = (changes: Partial<MemorySettings>, tokens = rows): boolean => {
    const need = trainingNeed({ ...model, embeddingInFile: true }, { ...settings, ...changes }, tokens, capacity);
    return judge(sumParts(need.parts), capacity).verdict !== "no";
  };
  if (fits({})) {
    return null;
  }
  const most = `of ${gigabytes(capacity.bytes)}`;
  const frugal = { checkpointing: modes(model.config.layers).at(-1) ?? "layer" };
  const options: string[] = [];
  for (const checkpointPrecision of ["f32", "f16"] as const) {
    const mode = modes(model.config.layers).find((checkpointing) => fits({ checkpointing, checkpointPrecision }));
    if (mode !== undefined) {
      options.push(
        `checkpointing ${String(mode)}${checkpointPrecision === "f16" ? " with checkpointPrecision f16" : ""}`,
      );
      break;
    }
  }
  const tokens = largest(rows, (count) => fits({ ...frugal }, count));
  if (tokens > 0 && tokens < rows) {
    options.push(`passes of up to ${tokens} tokens (now ${rows})`);
  }
  const rank = largest(settings.rank, (count) => fits({ ...frugal, rank: count }));
  if (rank > 0 && rank < settings.rank) {
    options.push(`rank ${rank} (now ${settings.rank})`);
  }
  return options.length === 0
    ? `no setting makes it fit into this memory ${most}: choose a smaller model or quantization`
    : `what would fit ${most}: ${options.join(", or ")}`;
}

/** The largest of 1 … most that holds, 0 where none does; what holds for one holds for all below. */
function largest(most: number, holds: (count: number) => boolean): number {
  let [low, high] = [0, most + 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
