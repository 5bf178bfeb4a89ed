// The adapter that a stage begins with.

import type { AdapterRecord } from "../../storage/database.ts";
import type { ModelState } from "../../worker/protocol.ts";
import { fittingAdapters } from "../models/adapterFit.ts";
import type { Stage } from "./settings.ts";

/** Chosen by a person, for the stages that may begin with an adapter; null: none was. */
export type Parents = Readonly<Record<"sft" | "dpo", string | null>>;

interface Known {
  adapters: readonly AdapterRecord[];
  model: ModelState;
}

/**
 * Those of the open model that a stage may begin with, newest first, then imported ones; for DPO those of SFT come first.
 * A DPO adapter is the end of the method.
 */
export function startAdapters(stage: Stage, { adapters, model }: Known): AdapterRecord[] {
  if (stage === "source") return [];
  const rank = ({ training }: AdapterRecord): number =>
    training === null ? 2 : stage === "dpo" && training.stage === "source" ? 1 : 0;
  return fittingAdapters(adapters, model)
    .filter(({ training }) => training?.stage !== "dpo")
    .sort((a, b) => rank(a) - rank(b) || b.createdAt - a.createdAt);
}

/** The chosen one; else SFT begins with a fresh adapter (null), DPO with the first that there is. */
export function startAdapter(stage: Stage, parents: Parents, known: Known): AdapterRecord | null {
  if (stage === "source") return null;
  const choices = startAdapters(stage, known);
  const chosen = choices.find(({ id }) => id === parents[stage]);
  return chosen ?? (stage === "dpo" ? choices[0] : undefined) ?? null;
}
