/**
 * The token runs of which spans of a sentence are made, for the span automaton.
 *
 * Tokenizers never join a character to a space behind it (byte-level pre-tokenizers cut there; SentencePiece's pieces
 * hold the space at their front), so the ids of a response are those of its stretches between such places, each
 * tokenized once. A stretch of the sentence has one word in most languages, several where words touch ("Lima", ",").
 * A span is the end of a stretch or a part of it, whole stretches, and the beginning of one. `checkSplit` proves the
 * assumption for the sentence at hand.
 */
import { CLOSE, END, HEAD, OPEN, responseIds, type PromptTokenizer } from "./prompt.ts";
import type { Range } from "./words.ts";

export interface Piece {
  readonly ids: readonly number[];
  /** Index of the piece's last word. */
  readonly last: number;
}

/**
 * Touching words that a span may take from a stretch: a stretch of n words has n²/2 parts, and a line in a script without
 * spaces is one stretch. Words with spaces between them have no limit.
 */
export const MAX_TOUCHING_WORDS = 12;

export class SpanPieces {
  readonly headIds: readonly number[];
  readonly openIds: readonly number[];
  readonly closeIds: readonly number[];
  /** " ." and the end token. */
  readonly endIds: readonly number[];
  readonly #tokenizer: PromptTokenizer;
  readonly #sentence: string;
  readonly #words: readonly Range[];
  /** Index of the last word of each word's stretch. */
  readonly #stretchEnd: number[];
  readonly #spaced = new Map<string, readonly number[]>();
  readonly #starting = new Map<number, readonly Piece[]>();
  readonly #continuing = new Map<number, readonly Piece[]>();

  constructor(tokenizer: PromptTokenizer, sentence: string, words: readonly Range[]) {
    this.#tokenizer = tokenizer;
    this.#sentence = sentence;
    this.#words = words;
    this.#stretchEnd = words.map((_, index) => index);
    for (let i = words.length - 2; i >= 0; i--) {
      if (!this.#isSplitBehind(i)) this.#stretchEnd[i] = this.#stretchEnd[i + 1] ?? i;
    }
    this.headIds = responseIds(tokenizer, HEAD + OPEN);
    this.openIds = this.#spacedIds(OPEN);
    this.closeIds = this.#spacedIds(CLOSE);
    this.endIds = [...this.#spacedIds(END), tokenizer.eosTokenId];
    this.#checkSplit();
  }

  /** The first piece of every span that begins at a word: with the space before it, and without. */
  starting(first: number): readonly Piece[] {
    return memo(this.#starting, first, () =>
      this.#pieces(first, this.#range(first)[0]).flatMap(({ text, last }) => {
        const bare = this.#bareIds(text);
        return [{ ids: this.#spacedIds(` ${text}`), last }, ...(bare === null ? [] : [{ ids: bare, last }])];
      }),
    );
  }

  /** The next piece of every span that goes on behind a word; none where the span would go on inside a stretch. */
  continuing(word: number): readonly Piece[] {
    if (this.#stretchEnd[word] !== word || word + 1 >= this.#words.length) return [];
    return memo(this.#continuing, word, () =>
      this.#pieces(word + 1, this.#range(word)[1]).map(({ text, last }) => ({ ids: this.#spacedIds(text), last })),
    );
  }

  /** Text from `from` to the end of word `first` and of each word behind it in the stretch. */
  #pieces(first: number, from: number): { text: string; last: number }[] {
    const pieces: { text: string; last: number }[] = [];
    const end = Math.min(this.#stretchEnd[first] ?? first, first + MAX_TOUCHING_WORDS - 1);
    for (let last = first; last <= end; last++) {
      const text = this.#sentence.slice(from, this.#range(last)[1]);
      // A span with these signs in it cannot be told from the end of a span.
      if (text.includes(OPEN.trim()) || text.includes(CLOSE.trim())) break;
      pieces.push({ text, last });
    }
    return pieces;
  }

  /** Whether tokens certainly end with a word: a space follows it, and it does not itself end in white space. */
  #isSplitBehind(word: number): boolean {
    const end = this.#range(word)[1];
    return this.#sentence[end] === " " && /[^\p{White_Space}\ufeff]$/u.test(this.#sentence.slice(...this.#range(word)));
  }

  /** Ids of a text that begins with a space, behind anything that does not end with one. */
  #spacedIds(text: string): readonly number[] {
    return memo(this.#spaced, text, () => {
      const ids = idsBehind(this.#tokenizer, OPEN.trim(), text);
      if (ids === null) throw crossesSpace(text);
      return ids;
    });
  }

  /** Ids of a text as the sentence's beginning has them, behind a line break; null where a token holds the break too. */
  #bareIds(text: string): readonly number[] | null {
    return idsBehind(this.#tokenizer, "\n", text);
  }

  #range(word: number): Range {
    const range = this.#words[word];
    if (range === undefined) throw new RangeError(`expected a word below ${this.#words.length}, got ${word}`);
    return range;
  }

  /** That the whole sentence as one span has the ids of its stretches. */
  #checkSplit(): void {
    const [first, last] = [this.#words[0], this.#words.at(-1)];
    if (first === undefined || last === undefined) return;
    const ids = [...this.headIds];
    for (let word = 0, from = first[0]; word < this.#words.length; word++) {
      word = this.#stretchEnd[word] ?? word;
      const end = this.#range(word)[1];
      ids.push(...this.#spacedIds((from === first[0] ? " " : "") + this.#sentence.slice(from, end)));
      from = end;
    }
    ids.push(...this.closeIds, ...this.endIds.slice(0, -1));
    const span = this.#sentence.slice(first[0], last[1]);
    const whole = responseIds(this.#tokenizer, `${HEAD}${OPEN} ${span}${CLOSE}${END}`);
    if (whole.length !== ids.length || whole.some((id, index) => id !== ids[index])) throw crossesSpace(span);
  }
}

function crossesSpace(text: string): Error {
  return new Error(
    `expected a tokenizer whose tokens end before a space, got one that joins across it in ${JSON.stringify(text.slice(0, 80))} (decode in free mode)`,
  );
}

/** The ids of `text` behind `anchor`, or null where a token holds characters of both. */
function idsBehind(tokenizer: PromptTokenizer, anchor: string, text: string): number[] | null {
  const { ids, offsets } = tokenizer.encode(anchor + text);
  const start = offsets.findIndex(([, end]) => end > anchor.length);
  return start < 0 || (offsets[start]?.[0] ?? 0) < anchor.length ? null : ids.slice(start);
}

function memo<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}
