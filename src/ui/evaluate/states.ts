import { predictionKey } from "../../storage/predictionStore.ts";
import type { PredictionRecord } from "../../storage/database.ts";
import { fittingAdapters } from "../models/adapterFit.ts";
import { adapterTitle } from "../models/adapterTitle.ts";
import { useEngine } from "../stores/engineStore.ts";

/** A state of the model that can be compared: as it came, or with one adapter. */
export interface ModelChoice {
  /** The adapter's id, null for the base model. */
  adapter: string | null;
  title: string;
  record: PredictionRecord | null;
}

/** The base model and every adapter that fits it, with what each has predicted. */
export function useModelChoices(): ModelChoice[] {
  const model = useEngine((state) => state.model);
  const adapters = useEngine((state) => state.adapters);
  const predictions = useEngine((state) => state.predictions);
  if (model.kind !== "open") return [];
  const { fingerprint } = model.facts;
  const choice = (adapter: string | null, title: string): ModelChoice => ({
    adapter,
    title,
    record: predictions.get(predictionKey(fingerprint, adapter)) ?? null,
  });
  return [
    choice(null, "Base model"),
    ...fittingAdapters(adapters, model).map((adapter) => choice(adapter.id, adapterTitle(adapter))),
  ];
}
