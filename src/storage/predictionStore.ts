// Predictions on the held-out documents, one set for each state of the model, so that Evaluate works after a reload and
// without a GPU.

import type { Document, EntityType } from "../ner/document.ts";
import { weightsOf } from "./adapterStore.ts";
import { studioDatabase, type PredictionRecord } from "./database.ts";
import { storageFailure } from "./storageError.ts";

/** One set per model and adapter; null is the model without any. */
export function predictionKey(model: string, adapter: string | null): string {
  return `${model} ${adapter ?? "base"}`;
}

/** Those of a model and adapter, where its weights are the same as then and the same types were asked for. */
export async function keptPredictions(
  model: string,
  adapter: string | null,
  types: readonly EntityType[],
): Promise<readonly Document[]> {
  const record = await (await studioDatabase()).get("predictions", predictionKey(model, adapter));
  if (record === undefined || JSON.stringify(record.types) !== JSON.stringify(types)) return [];
  const isOfOthers = record.weights !== undefined && record.weights !== (await weightsOf(adapter));
  return isOfOthers ? [] : record.predictions;
}

export async function listPredictions(): Promise<PredictionRecord[]> {
  return (await studioDatabase()).getAll("predictions");
}

/** Of the adapter's weights as they are kept now. */
export async function savePredictions(record: PredictionRecord): Promise<void> {
  try {
    const weights = await weightsOf(record.adapter);
    await (await studioDatabase()).put("predictions", { ...record, ...(weights === undefined ? {} : { weights }) });
  } catch (error) {
    throw storageFailure(error, "the predictions");
  }
}
