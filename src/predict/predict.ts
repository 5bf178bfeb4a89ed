/**
 * Predicts entities: one prompt per document and type, decoded greedily on a key/value cache. In `span` mode the answer
 * is constrained to runs of the sentence's words (method.md, Decoding); in `free` mode anything may come and is looked
 * up in the sentence. Several answers are written side by side, of any types, behind their types' instructions, each of
 * which is run once.
 */
import { cacheBytesPerToken, Decoder, type DecoderSize } from "../model/decoder.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { compareEntities, type Document, type Entity, type EntityType, type Hallucination } from "../ner/document.ts";
import { CLOSE, encodePrompt, OPEN, type PromptEncoding, type PromptTokenizer } from "../ner/prompt.ts";
import { SpanAutomaton } from "../ner/spanAutomaton.ts";
import { segmentWords } from "../ner/words.ts";
import { type Asked, writeAll } from "./writeAll.ts";
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
  /** Tokens of the instruction, those before the sentence. */
  readonly instruction: number;
  /** Tokens of prompt and answer: at least, and at most. */
  readonly shortest: number;
  readonly longest: number;
}

/** Keeps the instructions that were run as long as the adapter's weights are the same. One prediction at a time. */
export class Predictor {
  readonly #llama: Llama;
  readonly #lora: Lora | null;
  #decoder: Decoder | null = null;

  constructor(llama: Llama, lora: Lora | null) {
    [this.#llama, this.#lora] = [llama, lora];
  }

  /** The same as predictDocuments. */
  predict(
    tokenizer: PredictTokenizer,
    documents: readonly Document[],
    types: readonly EntityType[],
    options: PredictOptions,
  ): AsyncGenerator<Prediction> {
    const decoderOf = (size: DecoderSize): Decoder => this.#decoderOf(size);
    return predictWith(this.#llama.config, decoderOf, tokenizer, documents, types, options);
  }

  destroy(): void {
    this.#decoder?.destroy();
    this.#decoder = null;
  }

  /** The decoder that there is, where it has room for `size`. */
  #decoderOf(size: DecoderSize): Decoder {
    const kept = this.#decoder;
    if (kept !== null && hasRoom(kept.size, size)) return kept;
    this.destroy();
    this.#decoder = new Decoder(this.#llama, this.#lora, size);
    return this.#decoder;
  }
}

function hasRoom(kept: DecoderSize, size: DecoderSize): boolean {
  return kept.prefixes >= size.prefixes && kept.branches >= size.branches && kept.branch >= size.branch;
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
  const predictor = new Predictor(llama, lora);
  try {
    yield* predictor.predict(tokenizer, documents, types, options);
  } finally {
    predictor.destroy();
  }
}

async function* predictWith(
  config: LlamaConfig,
  decoderOf: (size: DecoderSize) => Decoder,
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
  const { contextLength } = config;
  const prompts = allPrompts(tokenizer, documents, types, options);
  const fitting = prompts.filter(({ shortest }) => shortest <= contextLength);
  for (const { d, t, shortest } of prompts.filter(({ shortest }) => shortest > contextLength)) {
    predictions[d]?.leftOut.push({ type: types[t]?.name ?? "", tokens: shortest });
  }
  const open = documents.map((_, d) => fitting.filter((prompt) => prompt.d === d).length);
  let [done, next] = [prompts.length - fitting.length, 0];
  if (fitting.length > 0) {
    const size = decoderSize(config, fitting);
    // Document by document, where all instructions are kept at a time; else type by type, so that each is run once.
    const inTurn =
      prefixTokens(fitting) <= size.prefixes
        ? fitting
        : types.flatMap((_, t) => fitting.filter((prompt) => prompt.t === t));
    for await (const { asked, answer } of writeAll(decoderOf(size), inTurn, options.signal)) {
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
  for (; next < documents.length; next++) yield sorted(predictions[next] as Prediction, types);
}

function allPrompts(
  tokenizer: PredictTokenizer,
  documents: readonly Document[],
  types: readonly EntityType[],
  { mode, maxNewTokens = MAX_NEW_TOKENS }: PredictOptions,
): Prompt[] {
  const shortestAnswer = mode === "free" ? maxNewTokens : emptyAnswer(tokenizer);
  // What the first tokens of all types' prompts are, whatever the sentence: the header.
  const header = sharedLength(types.map((type) => instructionOf(encodePrompt(tokenizer, "", type, null))));
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
      const encoded = encodePrompt(tokenizer, document.text, type, null);
      const { ids } = encoded;
      const instruction = instructionOf(encoded);
      const parts = types.length > 1 ? [instruction.slice(0, header), instruction.slice(header)] : [instruction];
      const prefix = parts.filter(({ length }) => length > 0);
      const writer = (): Writer =>
        mode === "free" ? new FreeWriter(tokenizer, document, type, maxNewTokens) : new SpanWriter(automaton(), type);
      const both = { prefix, instruction: instruction.length };
      return { d, t, ids, ...both, writer, shortest: ids.length + shortestAnswer, longest: ids.length + longestAnswer };
    });
  });
}

/** Tokens before the sentence, as far as none of them reaches into it. */
function instructionOf({ ids, offsets, sentence }: PromptEncoding): number[] {
  const end = offsets.findIndex(([, tokenEnd]) => tokenEnd > sentence[0]);
  return ids.slice(0, end === -1 ? ids.length - 1 : end);
}

/** Tokens that all begin with; none where there is but one to begin with. */
function sharedLength(all: readonly (readonly number[])[]): number {
  const [first = [], ...others] = all;
  const differs = first.findIndex((id, index) => others.some((ids) => ids[index] !== id));
  return others.length === 0 ? 0 : differs === -1 ? first.length : differs;
}

/** Branches have room for a multiple of so many tokens, so that the next document finds room in the same decoder. */
const BRANCH_STEP = 64;

/**
 * Room for as many answers side by side as memory is meant for, and for their prompts; what prefixes take is at most
 * what prompts beside one another would take without them.
 */
function decoderSize(config: LlamaConfig, prompts: readonly Prompt[]): DecoderSize {
  const { contextLength } = config;
  // Not Math.max(...prompts): a corpus has more prompts than a call may have arguments.
  const most = (values: readonly number[]): number => values.reduce((top, value) => Math.max(top, value), 0);
  const longest = most(prompts.map((prompt) => Math.min(prompt.longest, contextLength)));
  return sizeOf(config, {
    longest,
    own: most(prompts.map((prompt) => Math.min(prompt.longest, contextLength) - prompt.instruction)),
    instruction: most(prompts.map((prompt) => prompt.instruction)),
    prefixes: prefixTokens(prompts),
    prompts: prompts.length,
  });
}

/** What prompts and answers of up to so many tokens take, for a memory plan: a corpus, asked for a few types. */
export function plannedDecoder(config: LlamaConfig, tokens: number): DecoderSize {
  const longest = Math.min(tokens, config.contextLength);
  const instruction = Math.min(PLANNED.instruction, longest - 1);
  const own = longest - instruction;
  return sizeOf(config, { longest, own, instruction, prefixes: PLANNED.prefixes, prompts: BRANCHES });
}

/** Tokens of an instruction, and of those of four types that share a header. */
const PLANNED = { instruction: 75, prefixes: 160 };

/** @param prompts of the longest: tokens with its answer, behind its instruction, and of that; tokens of all prefixes */
function sizeOf(
  config: LlamaConfig,
  prompts: Readonly<Record<"longest" | "own" | "instruction" | "prefixes" | "prompts", number>>,
): DecoderSize {
  const branches = Math.min(prompts.prompts, answersSideBySide(config, prompts.longest));
  return {
    prefixes: Math.min(prompts.prefixes, branches * prompts.instruction),
    branches,
    branch: Math.min(Math.ceil(prompts.own / BRANCH_STEP) * BRANCH_STEP, config.contextLength),
  };
}

/** Tokens of all prefixes together, each once. */
function prefixTokens(prompts: readonly Asked[]): number {
  const parts = new Map<string, number>();
  for (const { prefix } of prompts) {
    prefix.forEach((ids, depth) => parts.set(prefix.slice(0, depth + 1).join(), ids.length));
  }
  return [...parts.values()].reduce((sum, tokens) => sum + tokens, 0);
}

/** How many answers of so many tokens, prompts included, are written side by side. */
function answersSideBySide(config: LlamaConfig, tokens: number): number {
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
