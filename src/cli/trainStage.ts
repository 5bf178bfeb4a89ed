// What each stage of obp train learns from: prompts of documents, of streamed corpora, or preference pairs.
import { join } from "node:path";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import type { EntityType } from "../ner/document.ts";
import type { TrainConfig } from "../train/config.ts";
import { encodePreferences } from "../train/encodePairs.ts";
import { longestExample, type TooLong } from "../train/examples.ts";
import { Trainer } from "../train/trainer.ts";
import type { Context } from "./context.ts";
import { type ReadingOptions, readDocuments, readTypes } from "./documents.ts";
import { UsageError } from "./errors.ts";
import { examplesOf } from "./examples.ts";
import type { OpenedModel } from "./loadModel.ts";
import { readPreferences } from "./pairsFile.ts";
import { openSource } from "./sourceCorpus.ts";
import { readReference, storeReference } from "./referencePairs.ts";

export interface Stage {
  /** Prompts or pairs. */
  readonly prompts: number;
  readonly leftOut: readonly TooLong[];
  /** Tokens of the longest prompt or pair. */
  readonly longest: number;
  /** Allocates what training needs. @param resumed the run goes on from a checkpoint */
  trainer(llama: Llama, lora: Lora, resumed: boolean): Promise<Trainer>;
  /** When nothing is learned any more. */
  close(): Promise<void>;
}

export interface StageInput {
  readonly model: OpenedModel;
  readonly config: TrainConfig;
  readonly train: readonly string[];
  readonly types: string | undefined;
  readonly out: string;
  readonly reading: ReadingOptions;
  /** Held-out documents are scored, so that types may be given to a stage that learns from pairs. */
  readonly scored: boolean;
  readonly context: Context;
}

/** @throws Error where there is nothing to learn from */
export function openStage(input: StageInput): Promise<Stage> | Stage {
  switch (input.config.stage) {
    case "source":
      return sourceStage(input);
    case "sft":
      return sftStage(input);
    case "dpo":
      return dpoStage(input);
  }
}

/** Corpora of any size: read once for what is in them, then prompt by prompt. */
async function sourceStage({ model, config, train, types, reading, context }: StageInput): Promise<Stage> {
  const { examples, close } = await openSource(model, train, requireTypes(types), config, reading, context);
  const { facts } = examples;
  return {
    prompts: examples.length,
    leftOut: facts.firstTooLong,
    longest: examples.longest,
    trainer: (llama, lora) => Trainer.create(llama, lora, examples, config),
    close,
  };
}

function requireTypes(path: string | undefined): readonly EntityType[] {
  if (path === undefined) {
    throw new UsageError("expected --types TYPES.json, got none (the types to learn, with their definitions)");
  }
  return readTypes(path);
}

function sftStage({ model, config, train, types: typesFile, reading, context }: StageInput): Stage {
  const note = (line: string) => context.note(line);
  const types = requireTypes(typesFile);
  const documents = train.flatMap((path) => readDocuments(path, reading, note));
  const pooling = config.contrastiveWeight > 0 ? config.contrastivePooling : null;
  const { examples, leftOut } = examplesOf(model, documents, types, note, pooling);
  return {
    prompts: examples.length,
    leftOut,
    longest: longestExample(examples),
    trainer: (llama, lora) => Trainer.create(llama, lora, examples, config),
    close: nothingOpen,
  };
}

function dpoStage({ model, config, train, types, scored, out, context }: StageInput): Stage {
  if (types !== undefined && !scored) {
    throw new UsageError(
      "expected pairs in --train and no --types for the stage dpo, got --types (obp pairs makes pairs)",
    );
  }
  const preferences = train.flatMap((path) => readPreferences(path));
  const pairs = encodePreferences(model.tokenizer, model.config.contextLength, preferences);
  const folder = join(out, "run");
  return {
    prompts: pairs.length,
    leftOut: [],
    longest: longestExample(pairs),
    async trainer(llama, lora, resumed) {
      // The adapter as it is now, before the first step: base and SFT adapter, frozen.
      const examples = resumed
        ? readReference(folder, preferences, pairs)
        : await storeReference(folder, preferences, pairs, llama, lora, context);
      return Trainer.createDpo(llama, lora, examples, config);
    },
    close: nothingOpen,
  };
}

/** Where everything was read at once. */
function nothingOpen(): Promise<void> {
  return Promise.resolve();
}
