import type { AdapterRecord } from "../../storage/database.ts";
import type { ModelState } from "../../worker/protocol.ts";

/** Adapters trained on the open model, and imported ones, whose fit shows when they are used. */
export function fittingAdapters(adapters: readonly AdapterRecord[], model: ModelState): AdapterRecord[] {
  if (model.kind !== "open") return [];
  return adapters.filter((adapter) => adapter.model === null || adapter.model === model.facts.fingerprint);
}

/** The adapter that is on, where it fits the open model; null: the model as it came. */
export function adapterInUse(state: {
  adapters: readonly AdapterRecord[];
  model: ModelState;
  activeAdapter: string | null;
}): AdapterRecord | null {
  return fittingAdapters(state.adapters, state.model).find(({ id }) => id === state.activeAdapter) ?? null;
}
