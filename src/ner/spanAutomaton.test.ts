import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAMILIES, fixtureTokenizer } from "../model/tokenizer/testTokenizers.ts";
import type { Document, Entity } from "./document.ts";
import { CLOSE, encodePrompt, END, HEAD, OPEN, type PromptTokenizer } from "./prompt.ts";
import { SpanAutomaton } from "./spanAutomaton.ts";
import { MAX_TOUCHING_WORDS } from "./spanPieces.ts";
import { segmentWords, type Range } from "./words.ts";

const type = { name: "thing", definition: "anything" };

function automatonOf(tokenizer: PromptTokenizer, sentence: string, words = segmentWords({ text: sentence })) {
  return new SpanAutomaton({ tokenizer, sentence, words });
}

/** The ids of the response with these spans, in the order of a training response. */
function responseOf(tokenizer: PromptTokenizer, sentence: string, spans: readonly Range[]): number[] {
  const entities: Entity[] = spans.map(([start, end]) => ({ start, end, type: type.name }));
  const { ids, responseStart } = encodePrompt(tokenizer, sentence, type, entities);
  return ids.slice(responseStart);
}

/** Walks the ids of a response from the start; throws where one is not allowed. */
function take(automaton: SpanAutomaton, ids: readonly number[]): SpanAutomaton {
  return walk(automaton.another(), ids);
}

function walk(automaton: SpanAutomaton, ids: readonly number[]): SpanAutomaton {
  for (const id of ids) automaton.advance(id);
  return automaton;
}

function spansOf(automaton: SpanAutomaton): [number, number][] {
  return automaton.entities().map(({ start, end }) => [start, end]);
}

/** A small generator of repeatable choices (Lehmer). */
function chooser(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (state * 48271) % 2147483647;
    return state % count;
  };
}

const sentences = [
  "Marta Lindqvist met Tom in Oslo on 14 May 2019.",
  "“Zoë’s Corner” — her favourite — closes at 5:30 p.m. 😀",
  "Yahoo! bought (some of) C++, U.S. and AT&T; #rust @home $5",
  "two  spaces,\ttabs\nand\r\nbreaks  ",
  "today: >> and >, then < and << .",
  "東京都は日本の首都です。Tokyo、です",
  "สวัสดีชาวโลก and שלום עולם، مرحبا",
  "a\ud83d b 👩‍👩‍👧‍👦! e\u0301te\u0301 x\u00a0y z\u200bw",
  "one",
];

describe.each(FAMILIES)("%s", (family) => {
  const tokenizer = fixtureTokenizer(family);

  it.each(sentences)("takes the response of every single span of %j", (sentence) => {
    const words = segmentWords({ text: sentence });
    const fresh = automatonOf(tokenizer, sentence);
    for (const [first, [start]] of words.entries()) {
      for (const [, end] of words.slice(first, first + MAX_TOUCHING_WORDS)) {
        const automaton = take(fresh, responseOf(tokenizer, sentence, [[start, end]]));
        expect(automaton.done).toBe(true);
        expect(automaton.entities()).toHaveLength(1);
        const [span] = spansOf(automaton);
        expect(sentence.slice(...(span ?? [0, 0]))).toBe(sentence.slice(start, end));
      }
    }
  });

  it("knows what goes on behind any span: its closing, and behind that the next one's opening", () => {
    const sentence = "Marta Lindqvist met Tom in Oslo.";
    const spans: Range[] = [
      [0, 15],
      [20, 23],
    ];
    const ids = responseOf(tokenizer, sentence, spans);
    const automaton = automatonOf(tokenizer, sentence);
    let right = 0;
    for (const id of ids) {
      const onward = automaton.onward();
      if (onward !== null) {
        const tried = automaton.fork();
        expect(tried.allowed()).toContain(onward);
        tried.advance(onward);
      }
      right += onward === id ? 1 : 0;
      automaton.advance(id); // not where the fork has gone
    }
    expect(spansOf(automaton)).toEqual(spans);
    expect(right).toBe(3);
  });

  it.each(sentences)("takes the responses of sets of spans of %j, and finds them again", (sentence) => {
    const words = segmentWords({ text: sentence });
    const fresh = automatonOf(tokenizer, sentence);
    const choose = chooser(7);
    for (let round = 0; round < 20; round++) {
      const spans: Range[] = [];
      for (let word = choose(3); word < words.length; word += 1 + choose(3)) {
        const last = Math.min(word + choose(3), words.length - 1);
        spans.push([words[word]?.[0] ?? 0, words[last]?.[1] ?? 0]);
        word = last;
      }
      const automaton = take(fresh, responseOf(tokenizer, sentence, spans));
      const texts = (ranges: readonly Range[]) => ranges.map((range) => sentence.slice(...range));
      expect(automaton.done).toBe(true);
      expect(texts(spansOf(automaton))).toEqual(texts(spans));
    }
  });

  it("takes the gold responses of the sample project", () => {
    const lines = readFileSync(join(import.meta.dirname, "../../public/samples/heldout.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(lines.length).toBeGreaterThan(10);
    for (const document of lines.map((line) => JSON.parse(line) as Document)) {
      for (const name of new Set(document.entities.map((entity) => entity.type))) {
        const gold = document.entities
          .filter((entity) => entity.type === name)
          .map(({ start, end }) => [start, end] as const);
        const automaton = walk(automatonOf(tokenizer, document.text), responseOf(tokenizer, document.text, gold));
        expect(spansOf(automaton)).toEqual(gold);
      }
    }
  });

  it.each(sentences)("ends every walk over %j with separate runs of words, spelled by their tokens", (sentence) => {
    const words = segmentWords({ text: sentence });
    const starts = words.map(([start]) => start);
    const ends = words.map(([, end]) => end);
    const first = automatonOf(tokenizer, sentence);
    for (let seed = 1; seed <= 10; seed++) {
      const choose = chooser(seed * 104729);
      const automaton = first.another();
      const ids: number[] = [];
      while (!automaton.done) {
        const allowed = automaton.allowed();
        if (new Set(allowed).size < allowed.length) expect.fail(`an id is twice in ${allowed.join(", ")}`);
        const id = allowed[choose(allowed.length)] ?? -1;
        ids.push(id);
        automaton.advance(id);
      }
      expect(automaton.allowed()).toEqual([]);
      expect(ids.at(-1)).toBe(tokenizer.eosTokenId);
      const taken: Range[] = [];
      for (const { start, end, firstToken, endToken } of automaton.entities()) {
        expect(starts).toContain(start);
        expect(ends).toContain(end);
        expect(taken.filter((other) => start < other[1] && other[0] < end)).toEqual([]);
        taken.push([start, end]);
        const spelled = tokenizer.decode(ids.slice(firstToken, endToken)).trimStart();
        const bare = sentence.slice(start, end).replace(/\p{Surrogate}/gu, "\ufffd");
        expect(spelled.replace(" ", "")).toBe(`${bare}${CLOSE}`.replace(" ", ""));
      }
    }
  });

  it("forces the head, the end and what else has no alternative", () => {
    const automaton = automatonOf(tokenizer, "one");
    const head = automaton.forced();
    expect(tokenizer.decode(head).trim()).toBe(HEAD + OPEN);
    walk(automaton, head);
    expect(automaton.forced()).toEqual([]);
    expect(automaton.allowed().length).toBeGreaterThan(1);
    const [span] = responseOf(tokenizer, "one", [[0, 3]]).slice(head.length);
    automaton.advance(span ?? -1);
    const rest = automaton.forced();
    expect(tokenizer.decode([span ?? -1, ...rest]).trim()).toBe(`one${CLOSE}${END}`);
    expect(walk(automaton, rest).done).toBe(true);
    expect(automaton.forced()).toEqual([]);
  });

  it("takes the first word without its space, too", () => {
    const sentence = "The train to Lyon";
    const automaton = automatonOf(tokenizer, sentence);
    walk(automaton, automaton.forced());
    const bare = tokenizer.encode("\nLyon");
    walk(automaton, bare.ids.slice(bare.offsets.findIndex(([start]) => start === 1)));
    walk(automaton, tokenizer.encode(`x${CLOSE}`).ids.slice(tokenizer.encode("x").ids.length));
    expect(spansOf(automaton)).toEqual([[13, 17]]);
  });

  it("places a repeated span at its leftmost free occurrence", () => {
    const sentence = "a b a b a";
    const automaton = automatonOf(tokenizer, sentence);
    walk(automaton, responseOf(tokenizer, sentence, [[4, 5]]));
    expect(spansOf(automaton)).toEqual([[0, 1]]);
    const twice = automatonOf(tokenizer, sentence);
    walk(twice, responseOf(tokenizer, sentence, [[2, 5], [6, 7], [8, 9]])); // prettier-ignore
    expect(spansOf(twice)).toEqual([[2, 5], [6, 7], [0, 1]]); // prettier-ignore
  });

  it("offers no word twice, and no further group when every word is given", () => {
    const sentence = "a b";
    const automaton = automatonOf(tokenizer, sentence);
    const whole = responseOf(tokenizer, sentence, [[0, 1], [2, 3]]); // prettier-ignore
    const end = responseOf(tokenizer, sentence, []).slice(-2);
    walk(automaton, whole.slice(0, -2));
    expect(automaton.allowed()).toEqual(end.slice(0, 1));
    const again = automatonOf(tokenizer, sentence);
    const once = responseOf(tokenizer, sentence, [[0, 1]]).slice(0, -2);
    expect(() =>
      walk(again, [...once, ...once.slice(walk(automatonOf(tokenizer, sentence), []).forced().length)]),
    ).toThrow("expected one of the");
  });

  it("has only the empty answer for a sentence without words", () => {
    for (const sentence of ["", " \n "]) {
      const automaton = automatonOf(tokenizer, sentence);
      expect(automaton.forced()).toEqual(responseOf(tokenizer, sentence, []));
      expect(spansOf(walk(automaton, automaton.forced()))).toEqual([]);
    }
  });

  it("does not offer spans with the grammar's own signs in them", () => {
    const sentence = "a >>> b <<< c";
    const automaton = automatonOf(tokenizer, sentence);
    walk(automaton, responseOf(tokenizer, sentence, [[0, 1], [6, 7], [12, 13]])); // prettier-ignore
    expect(spansOf(automaton)).toEqual([[0, 1], [6, 7], [12, 13]]); // prettier-ignore
    expect(() => walk(automatonOf(tokenizer, sentence), responseOf(tokenizer, sentence, [[0, 7]]))).toThrow("got");
  });

  it("says what was allowed where an id is not", () => {
    const automaton = automatonOf(tokenizer, "one two");
    expect(() => automaton.advance(tokenizer.eosTokenId)).toThrow(/^expected one of the 1 ids allowed \(\d+…\), got/);
    expect(automaton.allowed()).toHaveLength(1);
  });
});

describe("words that the corpus gives", () => {
  it("bound the spans, wherever they are cut", () => {
    const tokenizer = fixtureTokenizer("smollm");
    const sentence = "do n't can't";
    const words: Range[] = [[0, 2], [3, 6], [7, 9], [9, 12]]; // prettier-ignore
    const automaton = automatonOf(tokenizer, sentence, words);
    const found = (span: Range) => spansOf(take(automaton, responseOf(tokenizer, sentence, [span])));
    expect(found([3, 9])).toEqual([[3, 9]]);
    expect(found([7, 9])).toEqual([[7, 9]]);
    expect(found([0, 12])).toEqual([[0, 12]]);
    // The second "n't" reads as the first.
    expect(found([9, 12])).toEqual([[3, 6]]);
    expect(() => found([0, 8])).toThrow("got");
  });
});

describe("a tokenizer that joins across spaces", () => {
  it("is refused, not followed wrongly", () => {
    const joining: PromptTokenizer = {
      addBos: false,
      bosTokenId: null,
      eosTokenId: 0,
      encode: (text) => {
        const parts = Array.from(text.matchAll(/o t|[^]/g), (match) => match[0]);
        let at = 0;
        return {
          ids: parts.map((part) => part.charCodeAt(0) * part.length),
          offsets: parts.map((part) => [at, (at += part.length)]),
        };
      },
    };
    expect(() => automatonOf(joining, "two three")).toThrow("expected a tokenizer whose tokens end before a space");
    expect(() => automatonOf(joining, "one four")).not.toThrow();
  });
});
