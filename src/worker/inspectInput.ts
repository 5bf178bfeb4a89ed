// What a look into the open model has to work with.

import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import type { Comparison } from "../train/compareRuns.ts";
import type { OpenModel } from "./modelFacts.ts";
import type { JobPhase, NamedState, ProgressUnit } from "./protocol.ts";

export interface InspectInput {
  llama: Llama;
  model: OpenModel;
  signal: AbortSignal;
  /** A saved adapter on the GPU, until the next one is asked for. */
  lora: (state: string | null) => Promise<Lora | null>;
  /** How they were trained; null with fewer than two. */
  compare: (states: readonly NamedState[]) => Promise<Comparison | null>;
  onProgress: (done: number, total: number, unit: ProgressUnit) => void;
  onPhase: (phase: JobPhase) => void;
}
