import type { AdapterRecord } from "../../storage/database.ts";
import type { ModelState } from "../../worker/protocol.ts";

/** Adapters trained on the open model, and imported ones, whose fit shows when they are used. */
export function fittingAdapters(adapters: readonly AdapterRecord[], model: ModelState): AdapterRecord[] {
  if (model.kind !== "open") return [];
  return adapters.filter((adapter) => adapter.model === null || adapter.model === model.facts.fingerprint);
}
