/**
 * The response grammar in `span` mode (method.md, Decoding), over token ids:
 *
 *     HEAD OPEN CLOSE END                        no entity
 *     HEAD (OPEN span CLOSE)+ END                entities, in any order, none overlapping another
 *
 * A span is a contiguous run of the sentence's words. Its first word may be written with the space before it, as the
 * training response has it, or without, as it stands at the sentence's beginning. The ids of every gold response whose
 * entities begin and end at words are a path of the automaton.
 *
 * Several readings are followed at once, since two spans may begin with the same token and a token of `>>>` may begin a
 * word: a cursor is a place in a run of ids and what is reached at its end. A span that stands more than once in the
 * sentence is placed at its leftmost free occurrence.
 */
import type { PromptTokenizer } from "./prompt.ts";
import { SpanPieces, type Piece } from "./spanPieces.ts";
import type { Range } from "./words.ts";

export interface DecodedSpan {
  /** UTF-16 range in the sentence. */
  start: number;
  end: number;
  /**
   * The response's tokens [firstToken, endToken) are the span's own and its closing `>>>`: the span's probability is the
   * product over them of the softmax over the tokens allowed.
   */
  firstToken: number;
  endToken: number;
}

type Goal =
  | { kind: "opened" }
  | { kind: "word"; first: number; last: number; firstToken: number }
  | { kind: "closed"; first: number; last: number; firstToken: number }
  | { kind: "closedEmpty" }
  | { kind: "ended" };

interface Cursor {
  readonly run: readonly number[];
  readonly at: number;
  readonly goal: Goal;
}

interface State {
  readonly cursors: readonly Cursor[];
  /** Ids taken so far. */
  readonly length: number;
  readonly spans: readonly DecodedSpan[];
  /** Words that are in a span. */
  readonly used: ReadonlySet<number>;
  readonly done: boolean;
}

export class SpanAutomaton {
  readonly #pieces: SpanPieces;
  readonly #words: readonly Range[];
  #state: State;

  /** `words` as of segmentWords: UTF-16 ranges of the sentence, in order; `like`: an automaton on the same sentence. */
  constructor(
    options: { tokenizer: PromptTokenizer; sentence: string; words: readonly Range[] } | { like: SpanAutomaton },
  ) {
    if ("like" in options) {
      [this.#words, this.#pieces] = [options.like.#words, options.like.#pieces];
    } else {
      this.#words = options.words;
      this.#pieces = new SpanPieces(options.tokenizer, options.sentence, options.words);
    }
    const cursors = [begin(this.#pieces.headIds, { kind: "opened" })];
    this.#state = { cursors, length: 0, spans: [], used: new Set(), done: false };
  }

  /** Another one, at the start: for another type's prompt on the same sentence, whose pieces are known by now. */
  another(): SpanAutomaton {
    return new SpanAutomaton({ like: this });
  }

  /** Another one in the same place: what is tried on it leaves this one as it is. */
  fork(): SpanAutomaton {
    const fork = this.another();
    fork.#state = this.#state;
    return fork;
  }

  /** Whether the end token has been taken. */
  get done(): boolean {
    return this.#state.done;
  }

  /** The ids that may come next, each once; none when done. */
  allowed(): number[] {
    return allowedIn(this.#state);
  }

  /** The run of ids ahead in which each is the only one allowed; empty where there is a choice, or when done. */
  forced(): number[] {
    const run: number[] = [];
    for (let state = this.#state; ;) {
      const [only, ...others] = allowedIn(state);
      if (only === undefined || others.length > 0) return run;
      run.push(only);
      state = this.#step(state, only);
    }
  }

  /** Of the ids allowed, the one that closes the span or, behind a closed one, opens the next; null where there is none. */
  onward(): number | null {
    const { closeIds, openIds } = this.#pieces;
    const begins = this.#state.cursors.find(
      ({ run, at, goal }) => at === 0 && ((run === closeIds && goal.kind === "closed") || run === openIds),
    );
    return begins?.run[0] ?? null;
  }

  /** Takes an id; throws where it is not allowed. */
  advance(id: number): void {
    this.#state = this.#step(this.#state, id);
  }

  /** The spans closed so far, in the order in which they were given. */
  entities(): readonly DecodedSpan[] {
    return this.#state.spans;
  }

  #step(state: State, id: number): State {
    const taken = state.cursors.filter(({ run, at }) => run[at] === id);
    if (taken.length === 0) {
      const allowed = allowedIn(state);
      throw new Error(
        `expected one of the ${allowed.length} ids allowed (${allowed.slice(0, 5).join(", ")}…), got ${id}`,
      );
    }
    const next: State = { ...state, length: state.length + 1 };
    const cursors: Cursor[] = [];
    for (const { run, at, goal } of taken) {
      if (at + 1 < run.length) cursors.push({ run, at: at + 1, goal });
      // What follows a closing is the same whichever words were meant, and the leftmost comes first.
      else if (goal.kind === "closed") return this.#close(next, goal);
      else if (goal.kind === "ended") return { ...next, cursors: [], done: true };
      else cursors.push(...this.#follow(next, goal));
    }
    return { ...next, cursors };
  }

  /** The cursors that start where a goal is reached. */
  #follow(state: State, goal: Exclude<Goal, { kind: "closed" | "ended" }>): Cursor[] {
    const { closeIds, endIds } = this.#pieces;
    switch (goal.kind) {
      case "opened": {
        const spans = this.#words.flatMap((_, first) =>
          state.used.has(first) ? [] : this.#spell(state, first, this.#pieces.starting(first), first, state.length),
        );
        return state.spans.length === 0 ? [...spans, begin(closeIds, { kind: "closedEmpty" })] : spans;
      }
      case "word": {
        const { first, last, firstToken } = goal;
        return [
          begin(closeIds, { kind: "closed", first, last, firstToken }),
          ...this.#spell(state, last + 1, this.#pieces.continuing(last), first, firstToken),
        ];
      }
      case "closedEmpty":
        return [begin(endIds, { kind: "ended" })];
    }
  }

  /** Cursors over the pieces that begin at word `from`, as far as the words are free. */
  #spell(state: State, from: number, pieces: readonly Piece[], first: number, firstToken: number): Cursor[] {
    const isFree = ({ last }: Piece) => {
      for (let word = from; word <= last; word++) if (state.used.has(word)) return false;
      return true;
    };
    return pieces.filter(isFree).map(({ ids, last }) => begin(ids, { kind: "word", first, last, firstToken }));
  }

  #close(state: State, { first, last, firstToken }: Extract<Goal, { kind: "closed" }>): State {
    const used = new Set(state.used);
    for (let word = first; word <= last; word++) used.add(word);
    const span = {
      start: this.#words[first]?.[0] ?? 0,
      end: this.#words[last]?.[1] ?? 0,
      firstToken,
      endToken: state.length,
    };
    const cursors = [begin(this.#pieces.endIds, { kind: "ended" })];
    if (used.size < this.#words.length) cursors.push(begin(this.#pieces.openIds, { kind: "opened" }));
    return { ...state, cursors, used, spans: [...state.spans, span] };
  }
}

function begin(run: readonly number[], goal: Goal): Cursor {
  return { run, at: 0, goal };
}

function allowedIn(state: State): number[] {
  return [...new Set(state.cursors.flatMap(({ run, at }) => run[at] ?? []))];
}
