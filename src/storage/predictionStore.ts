// Predictions on the held-out documents, one set for each state of the model, so that Evaluate works after a reload and
// without a GPU.

import type { Document, EntityType } from "../ner/document.ts";
import { studioDatabase, type PredictionRecord } from "./database.ts";
import { storageFailure } from "./storageError.ts";

/** One set per model and adapter; null is the model without any. */
export function predictionKey(model: string, adapter: string | null): string {
  return `${model} ${adapter ?? "base"}`;
}

/** Those of a model and adapter, where they were asked for the same types. */
export async function keptPredictions(key: string, types: readonly EntityType[]): Promise<readonly Document[]> {
  const record = await (await studioDatabase()).get("predictions", key);
  return record !== undefined && JSON.stringify(record.types) === JSON.stringify(types) ? record.predictions : [];
}

export async function listPredictions(): Promise<PredictionRecord[]> {
  return (await studioDatabase()).getAll("predictions");
}

export async function savePredictions(record: PredictionRecord): Promise<void> {
  try {
    await (await studioDatabase()).put("predictions", record);
  } catch (error) {
    throw storageFailure(error, "the predictions");
  }
}
