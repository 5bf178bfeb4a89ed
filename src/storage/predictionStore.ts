// Predictions on the held-out documents, one set for each state of the model, so that Evaluate works after a reload and
// without a GPU.

import { studioDatabase, type PredictionRecord } from "./database.ts";
import { storageFailure } from "./storageError.ts";

/** One set per model and adapter; null is the model without any. */
export function predictionKey(model: string, adapter: string | null): string {
  return `${model} ${adapter ?? "base"}`;
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
