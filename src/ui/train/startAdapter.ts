// The adapter that a stage begins with.

import type { AdapterRecord } from "../../storage/database.ts";
import type { ModelState } from "../../worker/protocol.ts";
import { fittingAdapters } from "../models/adapterFit.ts";
import type { StudioStage } from "./settings.ts";

interface Chosen {
  stage: StudioStage;
  parent: string | null;
}

interface Known {
  adapters: readonly AdapterRecord[];
  model: ModelState;
}

/** Those of the open model that SFT made, newest first, then imported ones. DPO of a DPO adapter is no stage. */
export function startAdapters({ adapters, model }: Known): AdapterRecord[] {
  const fitting = fittingAdapters(adapters, model);
  const trained = fitting.filter(({ training }) => training !== null && training.stage !== "dpo");
  return [...trained.sort((a, b) => b.createdAt - a.createdAt), ...fitting.filter(({ training }) => training === null)];
}

/** The chosen one, else the newest; null where the stage begins with a fresh adapter, or there is none. */
export function startAdapter({ stage, parent }: Chosen, known: Known): AdapterRecord | null {
  if (stage === "sft") return null;
  const choices = startAdapters(known);
  return choices.find(({ id }) => id === parent) ?? choices[0] ?? null;
}
