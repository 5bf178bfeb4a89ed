// Predicts documents with a state of the model and keeps what it answered.

import type { Document, EntityType } from "../ner/document.ts";
import { Predictor } from "../predict/predict.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import type { PredictionRecord } from "../storage/database.ts";
import { keptPredictions, predictionKey, savePredictions } from "../storage/predictionStore.ts";
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

/**
 * Keeps what was predicted before for other documents, where the same weights were asked for the same types. What ends too early (a stop,
 * a lost device) leaves the documents that were done, in a record that says so.
 * @throws AbortError when stopped
 */
export async function predictAndSave(
  input: PredictInput,
  emit: (event: StudioEvent) => void,
): Promise<PredictionRecord> {
  const known = await keptPredictions(input.model.facts.fingerprint, input.adapter, input.types);
  const done: Document[] = [];
  const save = async (stopped: boolean): Promise<PredictionRecord> => {
    const record = recordOf(input, joined(known, done), stopped);
    await savePredictions(record);
    emit({ kind: "predictions", record });
    return record;
  };
  try {
    await predictInto(done, input, emit);
  } catch (error) {
    if (done.length > 0) await save(true);
    throw error;
  }
  return save(false);
}

/** Shown, and not saved. @throws AbortError when stopped */
export async function predictAll(input: PredictInput, emit: (event: StudioEvent) => void): Promise<PredictionRecord> {
  const done: Document[] = [];
  await predictInto(done, input, emit);
  const record = recordOf(input, done, false);
  emit({ kind: "predictions", record });
  return record;
}

/** Adds each document to `done` as it is predicted. */
async function predictInto(done: Document[], input: PredictInput, emit: (event: StudioEvent) => void): Promise<void> {
  const { llama, lora, model, documents, types, signal } = input;
  const byId = new Map(documents.map((document) => [document.id, document]));
  const leftOut: string[] = [];
  const onProgress = throttle((prompts: number, total: number) =>
    emit({ kind: "progress", done: prompts, total, unit: "prompts" }),
  );
  onProgress(0, documents.length * types.length);
  const options = { mode: "span", signal, onProgress } as const;
  const predictor = input.predictor ?? new Predictor(llama, lora);
  try {
    for await (const prediction of predictor.predict(model.tokenizer, documents, types, options)) {
      const document = byId.get(prediction.documentId);
      if (document === undefined) continue;
      const { entities, hallucinated } = prediction;
      done.push({ id: document.id, text: document.text, entities, hallucinated });
      leftOut.push(...prediction.leftOut.map(({ type, tokens }) => `${document.id} / ${type} (${tokens} tokens)`));
    }
  } finally {
    if (predictor !== input.predictor) predictor.destroy();
    if (leftOut.length > 0) {
      emit({ kind: "warning", message: `Not predicted, over the model's context: ${leftOut.join(", ")}` });
    }
  }
}

function recordOf(input: PredictInput, predictions: readonly Document[], stopped: boolean): PredictionRecord {
  const { adapter, model, types } = input;
  return {
    key: predictionKey(model.facts.fingerprint, adapter),
    ...{ model: model.facts.fingerprint, adapter, createdAt: Date.now(), types, predictions },
    ...(stopped ? { stopped } : {}),
  };
}

/** New ones in the place of those before them. */
function joined(before: readonly Document[], now: readonly Document[]): Document[] {
  const ids = new Set(now.map(({ id }) => id));
  return [...before.filter(({ id }) => !ids.has(id)), ...now];
}
