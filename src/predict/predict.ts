/**
 * Predicts entities: one prompt per document and type, decoded greedily on a key/value cache. In `span` mode the answer
 * is constrained to runs of the sentence's words (method.md, Decoding); in `free` mode anything may come and is looked
 * up in the sentence. Several answers are written side by side, behind the beginning that their prompts share: the whole
 * instruction, where prompts go type by type.
 */
import { cacheBytesPerToken, Decoder, type DecoderSize } from "../model/decoder.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { compareEntities, type Document, type Entity, type EntityType, type Hallucination } from "../ner/document.ts";
import { CLOSE, encodePrompt, OPEN, type PromptTokenizer } from "../ner/prompt.ts";
import { SpanAutomaton } from "../ner/spanAutomaton.ts";
import { segmentWords } from "../ner/words.ts";
import { type Asked, sharedLength, writeAll } from "./writeAll.ts";
import { FreeWriter, SpanWriter, type Writer } from "./writers.ts";

/** What prediction asks of a tokenizer. */
export interface PredictTokenizer extends PromptTokenizer {
  decode(ids: readonly number[]): string;
}

export interface PredictOptions {
  readonly mode: "span" | "free";
  /** Free mode: longest answer, tokens. */
  readonly maxNewTokens?: number;
  readonly signal?: AbortSignal;
  /** Hears prompts done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Prediction {
  readonly documentId: string;
  /** In text order, each with its probability. */
  readonly entities: Entity[];
  /** Free mode: answers that are not in the sentence. */
  readonly hallucinated: Hallucination[];
  readonly responses: { readonly type: string; readonly text: string }[];
  /** Types without an answer, because prompt and answer do not fit the model's context: tokens that they take at least. */
  readonly leftOut: { readonly type: string; readonly tokens: number }[];
}

/** Free mode: longest answer, tokens. */
const MAX_NEW_TOKENS = 256;
/** Most answers written side by side; more gain little, and take room for their longest answers. */
const BRANCHES = 8;
/** Room for keys and values, where more than one answer at a time needs it. */
const CACHE_BYTES = 256 << 20;

/** A prompt of document d for type t. */
interface Prompt extends Asked {
  readonly d: number;
  readonly t: number;
  /** Tokens of prompt and answer: at least, and at most. */
  readonly shortest: number;
  readonly longest: number;
}

/** @yields each document's prediction, in the documents' order, as soon as all its types are done */
export async function* predictDocuments(
  llama: Llama,
  lora: Lora | null,
  tokenizer: PredictTokenizer,
  documents: readonly Document[],
  types: readonly EntityType[],
  options: PredictOptions,
): AsyncGenerator<Prediction> {
  const predictions = documents.map(({ id }): Prediction => ({
    documentId: id,
    entities: [],
    hallucinated: [],
    responses: [],
    leftOut: [],
  }));
  const { contextLength } = llama.config;
  const prompts = allPrompts(tokenizer, documents, types, options);
  const fitting = prompts.filter(({ shortest }) => shortest <= contextLength);
  for (const { d, t, shortest } of prompts.filter(({ shortest }) => shortest > contextLength)) {
    predictions[d]?.leftOut.push({ type: types[t]?.name ?? "", tokens: shortest });
  }
  const open = documents.map((_, d) => fitting.filter((prompt) => prompt.d === d).length);
  let [done, next] = [prompts.length - fitting.length, 0];
  if (fitting.length > 0) {
    const decoder = new Decoder(llama, lora, decoderSize(llama, fitting));
    try {
      // With fewer documents than branches all types go at once, behind what all prompts share: a shorter beginning.
      const groups =
        documents.length < decoder.size.branches
          ? [fitting]
          : types.map((_, t) => fitting.filter((prompt) => prompt.t === t));
      for (const group of groups.filter(({ length }) => length > 0)) {
        for await (const { asked, answer } of writeAll(decoder, group, options.signal)) {
          const [prediction, type] = [predictions[asked.d], types[asked.t]?.name ?? ""];
          if (answer === null) {
            prediction?.leftOut.push({ type, tokens: Math.max(asked.shortest, contextLength + 1) });
          } else {
            prediction?.entities.push(...answer.entities);
            prediction?.hallucinated.push(...answer.hallucinated);
            prediction?.responses.push({ type, text: tokenizer.decode(answer.ids).trim() });
          }
          open[asked.d] = (open[asked.d] ?? 0) - 1;
          options.onProgress?.(++done, prompts.length);
          for (; open[next] === 0; next++) yield sorted(predictions[next] as Prediction, types);
        }
      }
    } finally {
      decoder.destroy();
    }
  }
  for (; next < documents.length; next++) yield sorted(predictions[next] as Prediction, types);
}

function allPrompts(
  tokenizer: PredictTokenizer,
  documents: readonly Document[],
  types: readonly EntityType[],
  { mode, maxNewTokens = MAX_NEW_TOKENS }: PredictOptions,
): Prompt[] {
  const shortestAnswer = mode === "free" ? maxNewTokens : emptyAnswer(tokenizer);
  return documents.flatMap((document, d) => {
    const longestAnswer = mode === "free" ? maxNewTokens : shortestAnswer + longestSpans(tokenizer, document);
    // A sentence is tokenized for its automaton once, not for every type.
    let known: SpanAutomaton | null = null;
    const automaton = (): SpanAutomaton => {
      known =
        known?.another() ?? new SpanAutomaton({ tokenizer, sentence: document.text, words: segmentWords(document) });
      return known;
    };
    return types.map((type, t): Prompt => {
      const { ids } = encodePrompt(tokenizer, document.text, type, null);
      const writer = (): Writer =>
        mode === "free" ? new FreeWriter(tokenizer, document, type, maxNewTokens) : new SpanWriter(automaton(), type);
      return { d, t, ids, writer, shortest: ids.length + shortestAnswer, longest: ids.length + longestAnswer };
    });
  });
}

/** Room for the prompts' beginning, and for as many of their answers side by side as memory is meant for. */
function decoderSize(llama: Llama, prompts: readonly Prompt[]): DecoderSize {
  const { contextLength } = llama.config;
  // Not Math.max(...prompts): a corpus has more prompts than a call may have arguments.
  const most = (values: readonly number[]): number => values.reduce((top, value) => Math.max(top, value), 0);
  const beginning = most(prompts.map(({ ids }) => ids.length));
  const longest = most(prompts.map((prompt) => Math.min(prompt.longest, contextLength)));
  const branch = longest - sharedLength(prompts.map(({ ids }) => ids));
  return { beginning, branch, branches: Math.min(prompts.length, answersSideBySide(llama.config, branch)) };
}

/** How many answers of so many tokens, prompts included, are written side by side. */
export function answersSideBySide(config: LlamaConfig, tokens: number): number {
  const room = Math.floor(CACHE_BYTES / (tokens * cacheBytesPerToken(config)));
  return Math.max(1, Math.min(room, BRANCHES));
}

/** Types end in another order than they stand in. */
function sorted(prediction: Prediction, types: readonly EntityType[]): Prediction {
  const place = new Map(types.map(({ name }, index) => [name, index]));
  const byType = (a: { type: string }, b: { type: string }): number =>
    (place.get(a.type) ?? 0) - (place.get(b.type) ?? 0);
  prediction.entities.sort(compareEntities);
  return {
    ...prediction,
    hallucinated: prediction.hallucinated.toSorted(byType),
    responses: prediction.responses.toSorted(byType),
    leftOut: prediction.leftOut.toSorted(byType),
  };
}

/** Tokens of an answer without entities, its end included. */
function emptyAnswer(tokenizer: PredictTokenizer): number {
  const type = { name: "type", definition: "definition" };
  return encodePrompt(tokenizer, "", type, []).ids.length - encodePrompt(tokenizer, "", type, null).ids.length;
}

/** Most tokens spans can have: every word an entity of its own, spelled a token a byte. Real ones have far fewer. */
function longestSpans(tokenizer: PredictTokenizer, document: Document): number {
  const spelled = new TextEncoder().encode(document.text).length;
  const marks = tokenizer.encode(OPEN + CLOSE).ids.length;
  return spelled + marks * segmentWords(document).length;
}
