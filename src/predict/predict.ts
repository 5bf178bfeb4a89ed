/**
 * Predicts entities: one prompt per document and type, decoded greedily on a key/value cache. In `span` mode the answer
 * is constrained to runs of the sentence's words (method.md, Decoding); in `free` mode anything may come and is looked
 * up in the sentence. Prompts go type by type, so that the instruction's prefix stays in the cache.
 */
import { Decoder } from "../model/decoder.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { compareEntities, type Document, type Entity, type EntityType, type Hallucination } from "../ner/document.ts";
import { parseResponse } from "../ner/parseResponse.ts";
import { CLOSE, encodePrompt, OPEN, type PromptTokenizer } from "../ner/prompt.ts";
import { SpanAutomaton } from "../ner/spanAutomaton.ts";
import { segmentWords } from "../ner/words.ts";
import { type Choice, chooseAmong, chooseOfAll } from "./choose.ts";
import { tokenRanges } from "./tokenRanges.ts";

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

interface Answer {
  readonly ids: readonly number[];
  readonly entities: Entity[];
  readonly hallucinated: Hallucination[];
}

/** Free mode: longest answer, tokens. */
const MAX_NEW_TOKENS = 256;

/** @yields each document's prediction, in the documents' order, as soon as its last type is done */
export async function* predictDocuments(
  llama: Llama,
  lora: Lora | null,
  tokenizer: PredictTokenizer,
  documents: readonly Document[],
  types: readonly EntityType[],
  options: PredictOptions,
): AsyncGenerator<Prediction> {
  if (documents.length === 0 || types.length === 0) {
    return;
  }
  const predictions = documents.map(({ id }): Prediction => ({
    documentId: id,
    entities: [],
    hallucinated: [],
    responses: [],
    leftOut: [],
  }));
  const { contextLength } = llama.config;
  const asked = types.map((type) => documents.map((document) => encodePrompt(tokenizer, document.text, type, null)));
  const { mode, maxNewTokens = MAX_NEW_TOKENS } = options;
  const shortestAnswer = mode === "free" ? maxNewTokens : emptyAnswer(tokenizer);
  const longestAnswers = documents.map((document) =>
    mode === "free" ? maxNewTokens : shortestAnswer + longestSpans(tokenizer, document),
  );
  const fitting = asked.flatMap((prompts) =>
    prompts
      .map(({ ids }, d) => ({ shortest: ids.length + shortestAnswer, longest: ids.length + (longestAnswers[d] ?? 0) }))
      .filter(({ shortest }) => shortest <= contextLength),
  );
  // Not Math.max(...fitting): a corpus has more prompts than a call may have arguments.
  const capacity = fitting.reduce((most, { longest }) => Math.max(most, Math.min(longest, contextLength)), 2);
  const decoder = new Decoder(llama, lora, capacity);
  // A sentence is tokenized for its automaton once, not for every type.
  const automata = new Map<Document, SpanAutomaton>();
  let done = 0;
  try {
    for (const [t, type] of types.entries()) {
      for (const [d, document] of documents.entries()) {
        options.signal?.throwIfAborted();
        const prompt = asked[t]?.[d];
        const prediction = predictions[d];
        if (prompt === undefined || prediction === undefined) {
          throw new Error(`expected a prompt for ${document.id} and ${type.name}`);
        }
        const tokens = prompt.ids.length + shortestAnswer;
        const answer =
          tokens > contextLength
            ? null
            : mode === "span"
              ? await answerSpans(decoder, automatonOf(automata, tokenizer, document), prompt.ids, type, options)
              : await answerFreely(decoder, tokenizer, prompt.ids, document, type, options);
        if (answer === null) {
          prediction.leftOut.push({ type: type.name, tokens: Math.max(tokens, contextLength + 1) });
        } else {
          prediction.entities.push(...answer.entities);
          prediction.hallucinated.push(...answer.hallucinated);
          prediction.responses.push({ type: type.name, text: tokenizer.decode(answer.ids).trim() });
        }
        options.onProgress?.(++done, types.length * documents.length);
        if (t === types.length - 1) {
          prediction.entities.sort(compareEntities);
          yield prediction;
        }
      }
    }
  } finally {
    decoder.destroy();
  }
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

function automatonOf(
  automata: Map<Document, SpanAutomaton>,
  tokenizer: PredictTokenizer,
  document: Document,
): SpanAutomaton {
  const known = automata.get(document);
  if (known !== undefined) {
    known.reset();
    return known;
  }
  const automaton = new SpanAutomaton({ tokenizer, sentence: document.text, words: segmentWords(document) });
  automata.set(document, automaton);
  return automaton;
}

/** Probability of the tokens [first, end) of an answer. */
function productOf(probabilities: readonly number[], first: number, end: number): number {
  return probabilities.slice(first, end).reduce((product, p) => product * p, 1);
}

/**
 * Follows the span automaton; where it leaves one way only, tokens are run together without asking the model.
 * @returns null when the answer outgrows the decoder's cache: half an answer is none
 */
async function answerSpans(
  decoder: Decoder,
  automaton: SpanAutomaton,
  prompt: readonly number[],
  type: EntityType,
  { signal }: PredictOptions,
): Promise<Answer | null> {
  const ids: number[] = [];
  const probabilities: number[] = [];
  const take = ({ id, probability }: Choice): void => {
    automaton.advance(id);
    ids.push(id);
    probabilities.push(probability);
  };
  let cached = 0; // tokens of the answer that the decoder has run
  for (;;) {
    signal?.throwIfAborted();
    automaton.forced().forEach((id) => take({ id, probability: 1 }));
    if (automaton.done) {
      break;
    }
    if (prompt.length + ids.length > decoder.capacity) {
      return null;
    }
    await (cached === 0 ? decoder.reset([...prompt, ...ids]) : decoder.append(ids.slice(cached)));
    cached = ids.length;
    take(chooseAmong(await decoder.logits(), automaton.allowed()));
  }
  const entities = automaton.entities().map(({ start, end, firstToken, endToken }) => ({
    start,
    end,
    type: type.name,
    probability: productOf(probabilities, firstToken, endToken),
  }));
  return { ids, entities, hallucinated: [] };
}

/** Decodes without constraint until the end token; the answer's strings are looked up in the sentence. */
async function answerFreely(
  decoder: Decoder,
  tokenizer: PredictTokenizer,
  prompt: readonly number[],
  document: Document,
  type: EntityType,
  { signal, maxNewTokens = MAX_NEW_TOKENS }: PredictOptions,
): Promise<Answer> {
  const ids: number[] = [];
  const probabilities: number[] = [];
  await decoder.reset(prompt);
  while (ids.length < maxNewTokens) {
    signal?.throwIfAborted();
    const choice = chooseOfAll(await decoder.logits());
    if (choice.id === tokenizer.eosTokenId) {
      break;
    }
    probabilities.push(choice.probability);
    ids.push(choice.id);
    await decoder.append([choice.id]);
  }
  const decode = (some: readonly number[]): string => tokenizer.decode(some);
  const { spans, groups, hallucinated } = parseResponse(decode(ids), document.text, segmentWords(document));
  const entities = tokenRanges(decode, ids, groups).map(([first, end], index) => {
    const [spanStart = 0, spanEnd = 0] = spans[index] ?? [];
    return { start: spanStart, end: spanEnd, type: type.name, probability: productOf(probabilities, first, end) };
  });
  return {
    ids,
    entities,
    hallucinated: hallucinated.map((text) => ({ type: type.name, text })),
  };
}
