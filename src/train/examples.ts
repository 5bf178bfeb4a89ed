/** Training prompts: token ids with the place where the response, the supervised part, begins. */
import type { SupervisedRow } from "../model/head.ts";
import type { Document, EntityType } from "../ner/document.ts";
import { encodePrompt, type PromptTokenizer } from "../ner/prompt.ts";
import { type ContrastiveRows, contrastiveRows, type Pooling } from "./contrastiveRows.ts";

/** Of work that goes through examples one by one. */
export interface ExamplesOptions {
  /** Looked at before each example. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Of work that goes through examples pack by pack. */
export interface PackedOptions extends ExamplesOptions {
  /** As in TrainConfig; its default where it is not given. */
  readonly packTokens?: number;
}

export interface TrainExample {
  /** Says in messages which prompt it is: document id and type. */
  readonly name: string;
  readonly ids: readonly number[];
  /** Index of the first supervised token; at least 1, below ids.length. */
  readonly responseStart: number;
  /** For the attention contrastive loss; null where the sentence has no entity of the type, or the loss is off. */
  readonly contrastive?: ContrastiveRows | null;
}

/** What a stage learns from: in memory, or read when it is needed (sourceExamples.ts). */
export interface ExampleSource<E = TrainExample> {
  readonly length: number;
  /** Tokens that no example has more of; at least 1. */
  readonly longest: number;
  get(index: number): E | Promise<E>;
}

export function inMemory<E extends { readonly ids: readonly number[] }>(examples: readonly E[]): ExampleSource<E> {
  return {
    length: examples.length,
    longest: longestExample(examples),
    get: (index) => examples[index] as E,
  };
}

/** Tokens of the longest example; at least 1. */
export function longestExample(examples: readonly { readonly ids: readonly number[] }[]): number {
  // Not Math.max(...lengths): a source corpus has more prompts than a call may have arguments.
  return examples.reduce((most, { ids }) => Math.max(most, ids.length), 1);
}

/** A prompt left out because the model's context cannot hold it. */
export interface TooLong {
  readonly name: string;
  readonly tokens: number;
}

/**
 * One prompt for each document and type. Prompts over the context are named in `tooLong`, never cut.
 * @param pooling of the attention contrastive loss; null where it is off
 */
export function buildExamples(
  tokenizer: PromptTokenizer,
  documents: readonly Document[],
  types: readonly EntityType[],
  contextLength: number,
  pooling: Pooling | null = null,
): { examples: TrainExample[]; tooLong: TooLong[] } {
  const examples: TrainExample[] = [];
  const tooLong: TooLong[] = [];
  for (const document of documents) {
    for (const type of types) {
      const name = `${document.id} / ${type.name}`;
      const encoding = encodePrompt(tokenizer, document.text, type, document.entities);
      const { ids, responseStart } = encoding;
      if (ids.length > contextLength) {
        tooLong.push({ name, tokens: ids.length });
      } else if (pooling === null) {
        examples.push({ name, ids, responseStart });
      } else {
        const contrastive = contrastiveRows(encoding, document.entities, type.name, pooling);
        examples.push({ name, ids, responseStart, contrastive });
      }
    }
  }
  return { examples, tooLong };
}

/** Supervised tokens. */
export function responseLength({ ids, responseStart }: Pick<TrainExample, "ids" | "responseStart">): number {
  return ids.length - responseStart;
}

/** What a pass reads of a sequence: its last token is predicted, and nothing behind it. */
export function readTokens({ ids }: Pick<TrainExample, "ids">): readonly number[] {
  return ids.slice(0, -1);
}

/**
 * The rows whose next token is supervised: the row of token t predicts ids[t + 1].
 * @param rows of the tokens in their pass; where they are a pass of their own, token t is row t
 */
export function supervisedRows({ name, ids, responseStart }: TrainExample, rows?: readonly number[]): SupervisedRow[] {
  if (responseStart < 1 || responseStart >= ids.length) {
    throw new Error(
      `expected the response of ${name} to begin at a token from 1 to ${ids.length - 1}, got ${responseStart}`,
    );
  }
  return ids.slice(responseStart).map((label, index) => {
    const token = responseStart - 1 + index;
    return { row: rows === undefined ? token : (rows[token] ?? NaN), label };
  });
}
