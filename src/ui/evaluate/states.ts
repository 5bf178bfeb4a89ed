import { useMemo } from "react";
import { predictionKey } from "../../storage/predictionStore.ts";
import type { PredictionRecord } from "../../storage/database.ts";
import type { NamedState } from "../../worker/protocol.ts";
import { useModelStates } from "../models/useModelStates.ts";
import { useEngine } from "../stores/engineStore.ts";

/** A state of the model that can be compared: as it came, or with one adapter. */
export interface ModelChoice {
  /** The adapter in some state, null for the base model. */
  adapter: string | null;
  title: string;
  /** When and how long it was trained. */
  detail: string;
  record: PredictionRecord | null;
}

/** The base model and every adapter that fits it, with what each has predicted. */
export function useModelChoices(): ModelChoice[] {
  const model = useEngine((state) => state.model);
  const states = useModelStates();
  const predictions = useEngine((state) => state.predictions);
  if (model.kind !== "open") return [];
  const { fingerprint } = model.facts;
  return states.map(({ adapter, name, detail }) => ({
    ...{ adapter, title: adapter === null ? "Base model" : name, detail },
    record: predictions.get(predictionKey(fingerprint, adapter)) ?? null,
  }));
}

/** Two states to be compared, none where they are one; the same list as long as they are the same. */
export function usePair(before: ModelChoice | undefined, after: ModelChoice | undefined): readonly NamedState[] {
  const [from, fromName, to, toName] = [before?.adapter, before?.title, after?.adapter, after?.title];
  return useMemo(() => {
    if (from === undefined || fromName === undefined || to === undefined || toName === undefined || from === to)
      return [];
    return [
      { adapter: from, name: fromName },
      { adapter: to, name: toName },
    ];
  }, [from, fromName, to, toName]);
}
