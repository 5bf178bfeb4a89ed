/** How many forwards answers take, and that those which save some change nothing. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { Decoder } from "../model/decoder.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { bundledGguf } from "../model/testBundled.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { encodePrompt } from "../ner/prompt.ts";
import { SpanAutomaton } from "../ner/spanAutomaton.ts";
import { segmentWords } from "../ner/words.ts";
import type { Choice } from "./choose.ts";
import { type Asked, writeAll } from "./writeAll.ts";
import { type Answer, type Guess, SpanWriter, type Writer } from "./writers.ts";

const gpu = await testGpu();
let llama: Llama;
beforeAll(async () => {
  const file = readFileSync(new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url));
  llama = await Llama.load(gpu, await openGguf(bytesSource(file, "tiny.gguf")));
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => llama.destroy());

/** Rows of each forward from now on. */
function watchForwards({ queue }: Llama): () => unknown[] {
  const dispatch = vi.spyOn(queue, "dispatch").mockClear();
  return () =>
    dispatch.mock.calls
      .filter(([{ name }]) => name === "embedding.gather")
      .map(([, , params]) => (params as { rows: number }).rows);
}

/** A choice among `allowed`; behind it, whatever was chosen, the ids of `forced`. */
interface Turn {
  readonly allowed: readonly number[];
  readonly forced: readonly number[];
}

/** Ids that begin an answer, then turns; behind the last it ends. Guesses that these ids will be chosen. */
class TurnsWriter implements Writer {
  readonly probabilities: number[] = [];
  readonly #ids: number[];
  readonly #turns: readonly Turn[];
  readonly #guessed: readonly number[];
  #taken = 0;
  #read = 0;

  constructor(begin: readonly number[], all: readonly Turn[], guessed: readonly number[] = []) {
    [this.#ids, this.#turns, this.#guessed] = [[...begin], all, guessed];
  }

  get done(): boolean {
    return this.#taken === this.#turns.length;
  }

  unread(): readonly number[] {
    const ids = this.#ids.slice(this.#read);
    this.#read = this.#ids.length;
    return ids;
  }

  allowed(): readonly number[] {
    return this.#turns[this.#taken]?.allowed ?? [];
  }

  guesses(most: number): Guess[] {
    return this.#turns.slice(this.#taken, this.#taken + most).flatMap(({ forced }, i): Guess[] => {
      const [id, next] = [this.#guessed[this.#taken + i], this.#turns[this.#taken + i + 1]];
      return id === undefined || next === undefined ? [] : [{ ids: [id, ...forced], allowed: next.allowed }];
    });
  }

  take({ id, probability }: Choice): void {
    this.#ids.push(id, ...(this.#turns[this.#taken]?.forced ?? []));
    this.#taken++;
    this.probabilities.push(probability);
  }

  answer(): Answer {
    return { ids: this.#ids, entities: [], hallucinated: [] };
  }
}

const prompt = [5, 3, 8, 1, 9];
const begin = [20, 21];
const turns: Turn[] = [
  { allowed: [4, 7], forced: [2] },
  { allowed: [6, 1, 3], forced: [] },
  { allowed: [9, 2], forced: [11, 12] },
  { allowed: [5, 8], forced: [13, 14, 15] },
];
/** Where in an answer the chosen ids stand. */
const CHOSEN = [2, 4, 5, 8];

/** The answer to each prompt. */
async function answersOf(decoder: Decoder, prompts: readonly Asked[]): Promise<(readonly number[] | null)[]> {
  const answers = new Map<Asked, readonly number[] | null>();
  for await (const { asked, answer } of writeAll(decoder, prompts, undefined)) {
    answers.set(asked, answer === null ? null : answer.ids);
  }
  return prompts.map((asked) => answers.get(asked) ?? null);
}

const asking = (writer: Writer, ids = prompt): Asked => ({ ids, prefix: [], writer: () => writer });

test("forced ids are run with the choice before them, or with the prompt; those at the end not at all", async () => {
  const decoder = new Decoder(llama, null, { prefixes: 0, branches: 1, branch: 32 });
  const forwards = watchForwards(llama);
  const [ids] = await answersOf(decoder, [asking(new TurnsWriter(begin, turns))]);
  // The prompt and two ids; then each choice with what follows. The last choice and its three ids are not run.
  expect(forwards()).toEqual([7, 2, 1, 3]);
  expect(ids).toHaveLength(2 + 2 + 1 + 3 + 4);
  decoder.destroy();
});

describe("guesses", () => {
  /** Answers and forwards where the chosen ids are guessed, but others where `wrong` says so. */
  async function guessing(wrong: readonly number[], cheapRows: number) {
    const decoder = new Decoder(llama, null, { prefixes: 0, branches: 1, branch: 32 });
    vi.spyOn(decoder, "spareRows").mockImplementation((rows) => Math.max(0, cheapRows - rows));
    const plain = new TurnsWriter(begin, turns);
    const [expected] = await answersOf(decoder, [asking(plain)]);
    const guessed = turns.map(({ allowed }, i) => {
      const chosen = expected?.[CHOSEN[i] ?? NaN];
      return (wrong.includes(i) ? allowed.find((id) => id !== chosen) : chosen) ?? NaN;
    });
    const forwards = watchForwards(llama);
    const writer = new TurnsWriter(begin, turns, guessed);
    const [ids] = await answersOf(decoder, [asking(writer)]);
    expect(ids).toEqual(expected);
    expect(writer.probabilities).toHaveLength(turns.length);
    writer.probabilities.forEach((p, i) => expect(p).toBeCloseTo(plain.probabilities[i] ?? NaN, 5));
    decoder.destroy();
    return forwards();
  }

  test.each([
    { wrong: [], rows: [7 + 2 + 1, 3] },
    { wrong: [0, 1, 2, 3], rows: [7 + 2 + 1, 2 + 1 + 3, 1 + 3, 3] },
    { wrong: [1], rows: [7 + 2 + 1, 1 + 3] },
    { wrong: [0], rows: [7 + 2 + 1, 2 + 1 + 3] },
  ])("right ones save a forward each, wrong ones change nothing: wrong $wrong", async ({ wrong, rows }) => {
    expect(await guessing(wrong, 16)).toEqual(rows);
  });

  test("are made as far as rows are cheap, and as far as there is room", async () => {
    expect(await guessing([], 9)).toEqual([7 + 2, 1 + 3]);
    expect(await guessing([], 8)).toEqual([7, 2 + 1 + 3]);
    expect(await guessing([], 0)).toEqual([7, 2, 1, 3]);
    const decoder = new Decoder(llama, null, { prefixes: 0, branches: 1, branch: 9 });
    vi.spyOn(decoder, "spareRows").mockImplementation((rows) => Math.max(0, 16 - rows));
    const forwards = watchForwards(llama);
    const guessed = turns.map(({ allowed }) => allowed[0] ?? NaN);
    expect(await answersOf(decoder, [asking(new TurnsWriter(begin, turns, guessed))])).toEqual([null]);
    expect(forwards()[0]).toBe(9); // a second guess would be one token too many
    decoder.destroy();
  });

  test("are shared out among answers side by side", async () => {
    const decoder = new Decoder(llama, null, { prefixes: 0, branches: 2, branch: 32 });
    vi.spyOn(decoder, "spareRows").mockImplementation((rows) => Math.max(0, 17 - rows));
    const guessed = turns.map(({ allowed }) => allowed[0] ?? NaN);
    const forwards = watchForwards(llama);
    const both = [asking(new TurnsWriter(begin, turns, guessed)), asking(new TurnsWriter(begin, turns, guessed))];
    const [first, second] = await answersOf(decoder, both);
    expect(forwards()[0]).toBe(7 + 7 + 3); // the first answer's two guesses
    expect(first).toEqual(second);
    decoder.destroy();
  });
});

test("answers that outgrow the cache are none; the next prompt takes a branch as it falls free", async () => {
  const decoder = new Decoder(llama, null, { prefixes: 0, branches: 2, branch: 12 });
  const longer = [{ allowed: [4, 7], forced: [2, 2, 2, 2, 2] }, ...turns];
  const prompts = [
    asking(new TurnsWriter(begin, longer)),
    asking(new TurnsWriter(begin, turns)),
    asking(new TurnsWriter(begin, [{ allowed: [4, 7], forced: [] }]), [1, 2]),
    asking(new TurnsWriter([], []), [1]), // done before it begins
  ];
  const answers = await answersOf(decoder, prompts);
  expect(answers.map((answer) => answer?.length ?? null)).toEqual([null, null, 3, 0]);
  const [alone] = await answersOf(decoder, [asking(new TurnsWriter(begin, [{ allowed: [4, 7], forced: [] }]), [1, 2])]);
  expect(answers[2]).toEqual(alone);
  decoder.destroy();
});

test("a stop ends it between two forwards, and the decoder serves again", async () => {
  const decoder = new Decoder(llama, null, { prefixes: 0, branches: 1, branch: 32 });
  const stop = new AbortController();
  const writer = new TurnsWriter(begin, turns);
  vi.spyOn(writer, "take").mockImplementationOnce(() => stop.abort());
  await expect(writeAll(decoder, [asking(writer)], stop.signal).next()).rejects.toThrow(/abort/i);
  const [ids] = await answersOf(decoder, [asking(new TurnsWriter(begin, turns))]);
  expect(ids).toHaveLength(12);
  decoder.destroy();
});

test("a span answer: every span is one forward, an empty one none but the prompt's", async () => {
  const gguf = await bundledGguf();
  const tokenizer = Tokenizer.fromGguf(gguf);
  const bundled = await Llama.load(gpu, gguf);
  const text = "We met two friends in Oslo, and one in Lima.";
  const type = { name: "place", definition: "a town" };
  const entities = ["Oslo", "Lima"].map((name) => {
    const start = text.indexOf(name);
    return { start, end: start + name.length, type: type.name };
  });
  const forwardsOf = async (given: readonly (typeof entities)[number][]) => {
    const { ids, responseStart } = encodePrompt(tokenizer, text, type, given);
    const automaton = new SpanAutomaton({ tokenizer, sentence: text, words: segmentWords({ text }) });
    const writer = new SpanWriter(automaton, type);
    // What the model would choose is computed, and another thing written.
    const take = writer.take.bind(writer);
    let written = responseStart;
    vi.spyOn(writer, "take").mockImplementation(({ probability }) => {
      take({ id: ids[responseStart + writer.answer().ids.length] ?? NaN, probability });
      written = responseStart + writer.answer().ids.length;
    });
    const decoder = new Decoder(bundled, null, { prefixes: 0, branches: 1, branch: 256 });
    vi.spyOn(decoder, "spareRows").mockImplementation((rows) => Math.max(0, 16 - rows));
    const forwards = watchForwards(bundled);
    const [answer] = await answersOf(decoder, [asking(writer, ids.slice(0, responseStart))]);
    expect(answer).toEqual(ids.slice(responseStart));
    expect(written).toBe(ids.length);
    decoder.destroy();
    const rows = forwards();
    vi.restoreAllMocks();
    return rows.length;
  };
  expect(await forwardsOf([])).toBe(1);
  expect(await forwardsOf(entities.slice(0, 1))).toBe(2);
  expect(await forwardsOf(entities)).toBe(3);
  bundled.destroy();
}, 60_000);
