// What a look into the open model has to work with.

import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import type { OpenModel } from "./modelFacts.ts";
import type { JobPhase, ProgressUnit } from "./protocol.ts";

export interface InspectInput {
  llama: Llama;
  model: OpenModel;
  signal: AbortSignal;
  /** A saved adapter on the GPU, until the next one is asked for. */
  lora: (id: string | null) => Promise<Lora | null>;
  onProgress: (done: number, total: number, unit: ProgressUnit) => void;
  onPhase: (phase: JobPhase) => void;
}
