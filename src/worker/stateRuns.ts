// How the adapters that are shown beside each other were trained, as their records and those of their runs have it.

import { adapterOf, listAdapters } from "../storage/adapterStore.ts";
import type { AdapterRecord, RunRecord } from "../storage/database.ts";
import { listRuns } from "../storage/runStore.ts";
import { type ComparedState, type Comparison, compareStates, FRESH, type RecordedRun } from "../train/compareRuns.ts";
import { parseSettings } from "../train/parseSettings.ts";
import { recordedRun } from "../train/recordedRun.ts";
import type { NamedState } from "./protocol.ts";

/** Null with fewer than two states. */
export async function compareNamed(states: readonly NamedState[]): Promise<Comparison | null> {
  if (states.length < 2) return null;
  const [adapters, runs] = await Promise.all([listAdapters(), listRuns()]);
  return compareStates(states.map(({ adapter, name }) => ({ name, made: madeOf(adapter, adapters, runs) })));
}

/**
 * @param state of the model, as `NamedState` has it
 * @param adapters all that are kept: one may have begun with another
 * @param runs those that are kept; a deleted one's settings are in its adapter's record too, its hash of the data is not
 */
export function madeOf(
  state: string | null,
  adapters: readonly AdapterRecord[],
  runs: readonly RunRecord[],
): ComparedState["made"] {
  if (state === null) return "base";
  const id = adapterOf(state);
  const record = adapters.find((adapter) => adapter.id === id);
  try {
    return (record && recorded(record, state !== id, adapters, runs)) ?? "unknown";
  } catch {
    // Settings of another version.
    return "unknown";
  }
}

function recorded(
  { id, training, model, modelName, imported }: AdapterRecord,
  isLast: boolean,
  adapters: readonly AdapterRecord[],
  runs: readonly RunRecord[],
): RecordedRun | null {
  if (imported !== undefined) return recordedRun(imported.config, imported.environment, id, () => undefined);
  if (training === null || training.config === null) return null;
  const { parent, documents } = training;
  const run = runs.find((one) => one.id === id);
  const data = run?.environment?.data;
  const begun = adapters.find((adapter) => adapter.id === parent);
  const label = training.stage === "source" ? "source corpora" : `${documents} document${documents === 1 ? "" : "s"}`;
  return {
    run: id,
    config: parseSettings(training.config, "the adapter's record"),
    model: model === null ? null : { id: model, label: modelName, kind: "fingerprint" },
    data: data === undefined ? null : { id: data, label, kind: "studio" },
    start: parent === null ? FRESH : { id: parent, label: begun?.name ?? "a deleted adapter" },
    // The record's are those of the weights in use.
    steps: isLast ? (run?.logs.length ?? null) : training.steps,
  };
}
