// An answer while it is written: which tokens are to be run next, which may follow, and what it says in the end.

import type { Document, Entity, EntityType, Hallucination } from "../ner/document.ts";
import { parseResponse } from "../ner/parseResponse.ts";
import type { SpanAutomaton } from "../ner/spanAutomaton.ts";
import { segmentWords } from "../ner/words.ts";
import type { Choice } from "./choose.ts";
import { tokenRanges } from "./tokenRanges.ts";

export interface Answer {
  readonly ids: readonly number[];
  readonly entities: Entity[];
  readonly hallucinated: Hallucination[];
}

/** A choice that was not asked yet, and what follows from it. */
export interface Guess {
  /** The id that is guessed, and those that must follow. */
  readonly ids: readonly number[];
  /** The ids to choose among behind them. */
  readonly allowed: readonly number[];
}

export interface Writer {
  /** Whether no further choice is to be made. */
  readonly done: boolean;
  /** Ids taken since the last call, to be run before the next choice. */
  unread(): readonly number[];
  /** The ids to choose among; null: the whole vocabulary. */
  allowed(): readonly number[] | null;
  /** What may well come next, each behind the one before; at most `most`. */
  guesses(most: number): Guess[];
  take(choice: Choice): void;
  answer(): Answer;
}

/** Probability of the tokens [first, end) of an answer. */
function productOf(probabilities: readonly number[], first: number, end: number): number {
  return probabilities.slice(first, end).reduce((product, p) => product * p, 1);
}

/** Follows the span automaton; where it leaves one way only, tokens are taken without asking the model. */
export class SpanWriter implements Writer {
  readonly #automaton: SpanAutomaton;
  readonly #type: EntityType;
  readonly #ids: number[] = [];
  readonly #probabilities: number[] = [];
  #read = 0;

  constructor(automaton: SpanAutomaton, type: EntityType) {
    [this.#automaton, this.#type] = [automaton, type];
    this.#takeForced();
  }

  get done(): boolean {
    return this.#automaton.done;
  }

  unread(): readonly number[] {
    const ids = this.#ids.slice(this.#read);
    this.#read = this.#ids.length;
    return ids;
  }

  allowed(): readonly number[] {
    return this.#automaton.allowed();
  }

  /** That the span ends, and that another begins: known whichever words were named, so that a forward is saved. */
  guesses(most: number): Guess[] {
    const guesses: Guess[] = [];
    const tried = this.#automaton.fork();
    for (let id = tried.onward(); id !== null && guesses.length < most; id = tried.onward()) {
      tried.advance(id);
      const forced = tried.forced();
      forced.forEach((next) => tried.advance(next));
      if (tried.done) break;
      guesses.push({ ids: [id, ...forced], allowed: tried.allowed() });
    }
    return guesses;
  }

  take(choice: Choice): void {
    this.#add(choice);
    this.#takeForced();
  }

  answer(): Answer {
    const entities = this.#automaton.entities().map(({ start, end, firstToken, endToken }) => ({
      start,
      end,
      type: this.#type.name,
      probability: productOf(this.#probabilities, firstToken, endToken),
    }));
    return { ids: this.#ids, entities, hallucinated: [] };
  }

  #takeForced(): void {
    this.#automaton.forced().forEach((id) => this.#add({ id, probability: 1 }));
  }

  #add({ id, probability }: Choice): void {
    this.#automaton.advance(id);
    this.#ids.push(id);
    this.#probabilities.push(probability);
  }
}

/** Anything may come, until the end token; the answer's strings are looked up in the sentence. */
export class FreeWriter implements Writer {
  readonly #tokenizer: { readonly eosTokenId: number; decode(ids: readonly number[]): string };
  readonly #document: Document;
  readonly #type: EntityType;
  readonly #maxNewTokens: number;
  readonly #ids: number[] = [];
  readonly #probabilities: number[] = [];
  #read = 0;
  #ended = false;

  constructor(
    tokenizer: { readonly eosTokenId: number; decode(ids: readonly number[]): string },
    document: Document,
    type: EntityType,
    maxNewTokens: number,
  ) {
    [this.#tokenizer, this.#document, this.#type] = [tokenizer, document, type];
    this.#maxNewTokens = maxNewTokens;
  }

  get done(): boolean {
    return this.#ended || this.#ids.length >= this.#maxNewTokens;
  }

  unread(): readonly number[] {
    const ids = this.#ids.slice(this.#read);
    this.#read = this.#ids.length;
    return ids;
  }

  allowed(): null {
    return null;
  }

  guesses(): Guess[] {
    return [];
  }

  take({ id, probability }: Choice): void {
    this.#ended = id === this.#tokenizer.eosTokenId;
    if (this.#ended) return;
    this.#ids.push(id);
    this.#probabilities.push(probability);
  }

  answer(): Answer {
    const decode = (some: readonly number[]): string => this.#tokenizer.decode(some);
    const ids = this.#ids;
    const { text } = this.#document;
    const { spans, groups, hallucinated } = parseResponse(decode(ids), text, segmentWords(this.#document));
    const type = this.#type.name;
    const entities = tokenRanges(decode, ids, groups).map(([first, end], index) => {
      const [spanStart = 0, spanEnd = 0] = spans[index] ?? [];
      return { start: spanStart, end: spanEnd, type, probability: productOf(this.#probabilities, first, end) };
    });
    return { ids, entities, hallucinated: hallucinated.map((spelled) => ({ type, text: spelled })) };
  }
}
