// What the stages of the studio learn from: prompts of the labelled documents, or preference pairs made of them.

import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import { readPeft } from "../model/adapters/peft.ts";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import type { Predictor } from "../predict/predict.ts";
import { readAdapter } from "../storage/adapterStore.ts";
import type { RunInputs, SavedPair } from "../storage/database.ts";
import type { TrainConfig } from "../train/config.ts";
import { pairLogprobs, withReference } from "../train/dpoExamples.ts";
import { encodePreferences, fittingPreferences } from "../train/encodePairs.ts";
import { buildExamples } from "../train/examples.ts";
import {
  boundaryPreferences,
  type Preference,
  type PreferenceKind,
  refusedPreferences,
  uniquePreferences,
  wrongAnswers,
} from "../train/preferences.ts";
import { Trainer } from "../train/trainer.ts";
import { openSource } from "./corpora.ts";
import type { OpenModel } from "./modelFacts.ts";
import type { StudioEvent } from "./protocol.ts";
import { throttle } from "./throttle.ts";

type Labelled = Pick<RunInputs, "documents" | "types">;

interface PairInput extends Labelled {
  llama: Llama;
  /** The adapter that DPO begins with. */
  lora: Lora;
  /** Of the two. */
  predictor: Predictor;
  model: OpenModel;
  config: TrainConfig;
  signal: AbortSignal;
}

/** The weights of the adapter that a run begins with; null: a fresh one. */
export async function readParent(id: string | null): Promise<LoraWeights | null> {
  if (id === null) return null;
  const { record, weights } = await readAdapter(id);
  return readPeft(record.configJson, weights).weights;
}

/** The adapter to train: a fresh one, or the parent's weights under the stage's dropout. */
export function startLora(llama: Llama, parent: LoraWeights | null, config: TrainConfig): Lora {
  if (parent === null) return Lora.create(llama, config, config.seed);
  return Lora.fromWeights(llama, { ...parent, config: { ...parent.config, dropout: config.dropout } });
}

/** @throws Error where there is nothing to learn from; AbortError when stopped while corpora are read */
export async function stageTrainer(
  llama: Llama,
  lora: Lora,
  model: OpenModel,
  config: TrainConfig,
  inputs: RunInputs,
  signal: AbortSignal,
  emit: (event: StudioEvent) => void,
): Promise<Trainer> {
  if (config.stage === "source") {
    return Trainer.create(llama, lora, await openSource(model, config, inputs, signal, emit), config);
  }
  const { documents, types, pairs } = inputs;
  const { tokenizer } = model;
  const { contextLength } = model.config;
  if (pairs !== null) {
    const encoded = encodePreferences(tokenizer, contextLength, pairs.map(preferenceOf));
    const reference = pairs.map((pair) => pair.reference);
    return Trainer.createDpo(llama, lora, withReference(encoded, reference), config);
  }
  const pooling = config.contrastiveWeight > 0 ? config.contrastivePooling : null;
  return Trainer.create(
    llama,
    lora,
    buildExamples(tokenizer, documents, types, contextLength, pooling).examples,
    config,
  );
}

/**
 * The pairs of stage 3, each with what the frozen reference, the adapter as it is now, gives its answers.
 * @throws Error where there is none; AbortError when stopped
 */
export async function makePairs(input: PairInput, emit: (event: StudioEvent) => void): Promise<SavedPair[]> {
  const { llama, lora, model, config, signal } = input;
  const { fitting, leftOut } = fittingPreferences(model.tokenizer, model.config.contextLength, [
    ...knownPreferences(input, config),
    ...(await askAll(input, emit)),
  ]);
  if (leftOut.length > 0) {
    const names = leftOut.map(({ name, tokens }) => `${name} (${tokens} tokens)`).join(", ");
    emit({ kind: "warning", message: `No pairs, over the model's context: ${names}` });
  }
  const preferences = uniquePreferences(fitting);
  if (preferences.length === 0) {
    throw new Error(
      "expected at least one preference pair, got none: no boundary edit gave one, and the adapter answers every prompt rightly (label more entities, or choose further boundary edits)",
    );
  }
  emit({ kind: "phase", phase: "asking the reference" });
  const onProgress = throttle((done: number, total: number) => emit({ kind: "progress", done, total, unit: "pairs" }));
  const pairs = encodePreferences(model.tokenizer, model.config.contextLength, preferences);
  const reference = await pairLogprobs(llama, lora, pairs, { signal, onProgress, packTokens: config.packTokens });
  return preferences.map(({ name, prompt, chosen, rejected, kind }, i) => {
    return { name, prompt, chosen, rejected, kind, reference: reference[i] ?? { chosen: NaN, rejected: NaN } };
  });
}

/**
 * Pairs of boundary edits and of refused suggestions, and the tokens of each, both answers in one pass: what can be said
 * before any is decoded.
 */
export function labelledPairs(
  { tokenizer, config: { contextLength } }: OpenModel,
  labelled: Labelled,
  config: TrainConfig,
) {
  const preferences = uniquePreferences(knownPreferences(labelled, config));
  const { fitting, leftOut } = fittingPreferences(tokenizer, contextLength, preferences);
  return { pairs: encodePreferences(tokenizer, contextLength, fitting), leftOut };
}

function knownPreferences({ documents, types }: Labelled, { boundaryKinds }: TrainConfig): Preference[] {
  const { preferences } = boundaryPreferences(documents, types, boundaryKinds);
  return [...preferences, ...refusedPreferences(documents, types)];
}

/** Asks the adapter every training prompt, greedily: each wrong answer is a rejected one. */
async function askAll(
  { predictor, model, documents, types, signal }: PairInput,
  emit: (event: StudioEvent) => void,
): Promise<Preference[]> {
  emit({ kind: "phase", phase: "finding the adapter's errors" });
  const onProgress = throttle((done: number, total: number) =>
    emit({ kind: "progress", done, total, unit: "prompts" }),
  );
  onProgress(0, documents.length * types.length);
  const byId = new Map(documents.map((document) => [document.id, document]));
  const preferences: Preference[] = [];
  const options = { mode: "span", signal, onProgress } as const;
  for await (const prediction of predictor.predict(model.tokenizer, documents, types, options)) {
    const document = byId.get(prediction.documentId);
    if (document === undefined) continue;
    preferences.push(...wrongAnswers(document, types, prediction).preferences);
  }
  return preferences;
}

function preferenceOf({ kind, ...pair }: SavedPair): Preference {
  return { ...pair, kind: kind as PreferenceKind };
}
