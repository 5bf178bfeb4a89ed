// Predicts documents with a state of the model and keeps what it answered.

import type { Document, EntityType } from "../ner/document.ts";
import { Predictor } from "../predict/predict.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import type { PredictionRecord } from "../storage/database.ts";
import { predictionKey, savePredictions } from "../storage/predictionStore.ts";
import type { OpenModel } from "./modelFacts.ts";
import type { StudioEvent } from "./protocol.ts";
import { throttle } from "./throttle.ts";

export interface PredictInput {
  llama: Llama;
  lora: Lora | null;
  /** Of these two, where one is kept for further predictions; by default one is made. */
  predictor?: Predictor;
  /** Under this id the predictions are kept; null: the model without an adapter. */
  adapter: string | null;
  model: OpenModel;
  documents: readonly Document[];
  types: readonly EntityType[];
  signal: AbortSignal;
}

/** @throws AbortError when stopped: nothing is saved then */
export async function predictAndSave(
  input: PredictInput,
  emit: (event: StudioEvent) => void,
): Promise<PredictionRecord> {
  const record = await predictAll(input, emit);
  await savePredictions(record);
  return record;
}

/** Shown, and not saved. @throws AbortError when stopped */
export async function predictAll(input: PredictInput, emit: (event: StudioEvent) => void): Promise<PredictionRecord> {
  const { llama, lora, adapter, model, documents, types, signal } = input;
  const byId = new Map(documents.map((document) => [document.id, document]));
  const predictions: Document[] = [];
  const leftOut: string[] = [];
  const onProgress = throttle((done: number, total: number) =>
    emit({ kind: "progress", done, total, unit: "prompts" }),
  );
  onProgress(0, documents.length * types.length);
  const options = { mode: "span", signal, onProgress } as const;
  const predictor = input.predictor ?? new Predictor(llama, lora);
  try {
    for await (const prediction of predictor.predict(model.tokenizer, documents, types, options)) {
      const document = byId.get(prediction.documentId);
      if (document === undefined) continue;
      const { entities, hallucinated } = prediction;
      predictions.push({ id: document.id, text: document.text, entities, hallucinated });
      leftOut.push(...prediction.leftOut.map(({ type, tokens }) => `${document.id} / ${type} (${tokens} tokens)`));
    }
  } finally {
    if (predictor !== input.predictor) predictor.destroy();
  }
  if (leftOut.length > 0) {
    emit({ kind: "warning", message: `Not predicted, over the model's context: ${leftOut.join(", ")}` });
  }
  const { fingerprint } = model.facts;
  const record: PredictionRecord = {
    key: predictionKey(fingerprint, adapter),
    model: fingerprint,
    adapter,
    createdAt: Date.now(),
    types,
    predictions,
  };
  emit({ kind: "predictions", record });
  return record;
}
