// Held-out sentences of a run: predicted before it, and with the adapter as it is while it goes on, and scored.

import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { evaluate } from "../ner/evaluate.ts";
import { bestScore, type HeldoutScore } from "../ner/heldoutScores.ts";
import type { PredictionRecord, RunInputs } from "../storage/database.ts";
import type { Predictor } from "../predict/predict.ts";
import { keptPredictions, listPredictions, predictionKey, savePredictions } from "../storage/predictionStore.ts";
import { isScoreDue } from "../train/heldoutSchedule.ts";
import type { StepLog } from "../train/trainer.ts";
import type { EngineSession } from "./engineSession.ts";
import type { JobControl } from "./jobControl.ts";
import { predictAll, predictAndSave } from "./predictions.ts";
import type { Run, StudioEvent } from "./protocol.ts";

/** A run whose adapter is tried out. */
export interface Tried {
  session: EngineSession;
  llama: Llama;
  lora: Lora;
  /** Of the adapter, kept from score to score. */
  predictor: Predictor;
  run: Run;
  inputs: RunInputs;
  control: JobControl;
  emit: (event: StudioEvent) => void;
}

/** What the model finds before training; asked once for each adapter, model and set of types and documents. */
export async function predictBefore(tried: Tried): Promise<void> {
  const { session, llama, lora, predictor, run, inputs, control, emit } = tried;
  const { heldout, types, evaluate: when } = inputs;
  const { parent } = run;
  if (when === "never" || heldout.length === 0) return;
  const model = session.openModel;
  const known = await keptPredictions(run.model, parent, types);
  const texts = new Map(known.map(({ id, text }) => [id, text]));
  const documents = heldout.filter(({ id, text }) => texts.get(id) !== text);
  if (documents.length === 0) return;
  emit({ kind: "phase", phase: parent === null ? "predicting without adapter" : "predicting with the adapter" });
  const start = parent === null ? { llama, lora: null, adapter: null } : { llama, lora, predictor, adapter: parent };
  await predictAndSave({ ...start, model, documents, types, signal: control.signal }, emit);
}

/** Whether the state after the run's last step is to be scored and has not been. */
export function isScoreMissing(
  { logs, scores, config }: Pick<Run, "logs" | "scores" | "config">,
  { heldout, evaluate: when }: Pick<RunInputs, "heldout" | "evaluate">,
  totalSteps: number,
): boolean {
  const step = logs.at(-1)?.step;
  if (when === "never" || heldout.length === 0 || scores.some((score) => score.step === step)) return false;
  return when === "end" ? step === totalSteps : isScoreDue(logs, totalSteps, config.evalEvery);
}

/**
 * Predicts and scores with the adapter as it is.
 * @param keep is called before the predictions are saved, where this is the best score of the run
 * @returns null where it was stopped meanwhile
 */
export async function scoreHeldout(
  { session, llama, lora, predictor, run, inputs, control, emit }: Tried,
  { step, epoch }: StepLog,
  keep: () => Promise<void>,
): Promise<HeldoutScore | null> {
  const { heldout: documents, types } = inputs;
  emit({ kind: "phase", phase: "predicting with the adapter" });
  const asked = { adapter: run.id, model: session.openModel, documents, types, signal: control.signal };
  let record: PredictionRecord;
  try {
    record = await predictAll({ llama, lora, predictor, ...asked }, emit);
  } catch (error) {
    if (control.isStopped() && session.lost === null) return null;
    throw error;
  }
  const names = types.map(({ name }) => name);
  const { precision, recall, f1, boundary } = evaluate(documents, record.predictions, names);
  const score = { step, epoch, precision, recall, f1, boundaryErrorRate: boundary.rate };
  if (bestScore([...run.scores, score]) === score) {
    await keep();
    await savePredictions(record);
  }
  return score;
}

/** Shows what the adapter that was kept predicted, where another state's predictions were shown last. */
export async function showKept({ run, emit }: Pick<Tried, "run" | "emit">): Promise<void> {
  if (bestScore(run.scores)?.step === run.scores.at(-1)?.step) return;
  const key = predictionKey(run.model, run.id);
  const record = (await listPredictions()).find((one) => one.key === key);
  if (record !== undefined) emit({ kind: "predictions", record });
}
