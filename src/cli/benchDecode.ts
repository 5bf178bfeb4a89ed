// obp bench decode: what constrained decoding saves. Answers are given ones, so that every way does the same work; what
// the model would choose is computed all the same.
import { Decoder, type PrefixParts } from "../model/decoder.ts";
import type { Llama } from "../model/llama.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { encodePrompt } from "../ner/prompt.ts";
import { SpanAutomaton } from "../ner/spanAutomaton.ts";
import { segmentWords } from "../ner/words.ts";
import { chooseAmong, chooseOfAll, type Choice } from "../predict/choose.ts";
import { writeAll } from "../predict/writeAll.ts";
import { type Guess, SpanWriter, type Writer } from "../predict/writers.ts";
import { HeapWatch, peakProcessBytes, type BenchRow } from "./benchRow.ts";
import { takeTurns, type TurnLimits } from "./benchTurns.ts";
import type { Context } from "./context.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";

const TYPE = { name: "place", definition: "a town, a building or another place that can be found on a map" };
/** Sentences with the places in them. */
const SENTENCES: readonly (readonly [string, readonly string[]])[] = [
  ["The ferry leaves Aarhus at seven and is in Odden before the shops open.", ["Aarhus", "Odden"]],
  ["We left the bicycles at the old mill and walked down to the lake by ourselves.", ["the old mill", "the lake"]],
  ["Her letters from Trieste took two weeks, those from Graz only three days.", ["Trieste", "Graz"]],
  ["Behind the town hall there is a small bakery that opens at five.", ["the town hall"]],
  ["They met in Lund, moved to Bergen and were never seen in the south again.", ["Lund", "Bergen"]],
  ["The museum is closed on Mondays, but the library of the castle is not.", ["The museum", "the library"]],
  ["Nobody at the station in Delft knew when the next train would come.", ["Delft"]],
  ["From the tower you can see as far as the harbour when the air is clear.", ["the tower", "the harbour"]],
];
/** Answers written side by side. */
const BRANCHES = 8;

export interface DecodeLimits extends Omit<TurnLimits, "warmUp"> {
  /** How many of the sentences. */
  readonly sentences: number | undefined;
}

interface Asked {
  readonly ids: readonly number[];
  /** The instruction. */
  readonly prefix: PrefixParts;
  readonly automaton: SpanAutomaton;
  /** Of the answer. */
  readonly given: readonly number[];
}

/** Writes the given answer, whatever is chosen, and keeps what was. */
class GivenWriter implements Writer {
  readonly chosen: number[] = [];
  readonly #inner: SpanWriter;
  readonly #given: readonly number[];

  constructor({ automaton, given }: Asked) {
    [this.#inner, this.#given] = [new SpanWriter(automaton.another(), TYPE), given];
  }

  get done(): boolean {
    return this.#inner.done;
  }

  unread(): readonly number[] {
    return this.#inner.unread();
  }

  allowed(): readonly number[] {
    return this.#inner.allowed();
  }

  guesses(most: number): Guess[] {
    return this.#inner.guesses(most);
  }

  take({ id, probability }: Choice): void {
    this.chosen.push(id);
    this.#inner.take({ id: this.#given[this.answer().ids.length] ?? NaN, probability });
  }

  answer() {
    return this.#inner.answer();
  }
}

/** What was chosen for each prompt, among the tokens allowed, and how long it took. */
interface Outcome {
  readonly chosen: readonly (readonly number[])[];
  readonly seconds: number;
}

export async function benchDecode(model: string, limits: DecodeLimits, context: Context): Promise<BenchRow[]> {
  const opened = await openWithTokenizer(model);
  const gpu = await context.gpu();
  const heap = new HeapWatch();
  try {
    const { llama } = await loadModel(opened, null, context);
    const prompts = SENTENCES.slice(0, limits.sentences).map((sentence) => askedFor(opened.tokenizer, ...sentence));
    const many = `${prompts.length} prompts and answers`;
    const ways: readonly ((llama: Llama, prompts: readonly Asked[]) => Promise<Outcome>)[] = [
      (llama, prompts) => afterPrompt(llama, prompts, plainAnswer),
      (llama, prompts) => afterPrompt(llama, prompts, writtenAnswer),
      oneByOne,
      sideBySide,
    ];
    const chosen: Outcome["chosen"][] = [];
    const [plain = NaN, written = NaN, one = NaN, together = NaN] = await takeTurns(
      ways.map((way, i) => async () => {
        const outcome = await way(llama, prompts);
        chosen[i] = outcome.chosen;
        return outcome.seconds;
      }),
      limits,
    );
    if (new Set(chosen.map((each) => JSON.stringify(each))).size > 1) {
      throw new Error("expected every way to choose the same tokens, got others (a fault of the engine: report it)");
    }
    const row = (name: string, seconds: number, against: number | null): BenchRow => ({
      ...{ name, seconds, gflops: null, ratio: against === null ? null : against / seconds },
      ...{ peakGpuBytes: llama.gpuBytes, peakHeapBytes: heap.peak, peakProcessBytes: peakProcessBytes() },
      adapter: gpu.adapterName,
    });
    return [
      row("answers token by token, whole vocabulary", plain, null),
      row("answers as they are written, after the prompt", written, plain),
      row(`${many}, one by one from their start`, one, null),
      row(`${many}, ${BRANCHES} side by side behind a kept instruction`, together, one),
    ];
  } finally {
    heap.stop();
  }
}

function askedFor(tokenizer: Tokenizer, sentence: string, places: readonly string[]): Asked {
  const entities = places.map((place) => {
    const start = sentence.indexOf(place);
    return { start, end: start + place.length, type: TYPE.name };
  });
  const whole = encodePrompt(tokenizer, sentence, TYPE, entities);
  const instruction = whole.offsets.findIndex(([, end]) => end > whole.sentence[0]);
  return {
    ids: whole.ids.slice(0, whole.responseStart),
    prefix: [whole.ids.slice(0, instruction)],
    automaton: new SpanAutomaton({ tokenizer, sentence, words: segmentWords({ text: sentence }) }),
    given: whole.ids.slice(whole.responseStart),
  };
}

/** What a prompt's answer gave to choose from, and what was chosen. */
type AnswerWay = (decoder: Decoder, prompt: Asked) => Promise<readonly number[]>;

/**
 * The time that answers take beyond their prompts: each prompt is run alone just before it is run with its answer, so that
 * a change of the machine's speed meets both. The answer's forced beginning runs with the prompt, as in predicting.
 */
async function afterPrompt(llama: Llama, prompts: readonly Asked[], answer: AnswerWay): Promise<Outcome> {
  const decoder = decoderFor(llama, prompts, 1);
  const chosen: (readonly number[])[] = [];
  let seconds = 0;
  for (const prompt of prompts) {
    const { ids } = prompt;
    const began = performance.now();
    decoder.restart(0);
    await decoder.append([{ branch: 0, ids }]);
    await decoder.pickedLogits([{ branch: 0, ids: [0] }]); // until it has been run
    const between = performance.now();
    chosen.push(await answer(decoder, prompt));
    seconds += (performance.now() - between - (between - began)) / 1000;
  }
  decoder.destroy();
  return { chosen, seconds };
}

/** Every token chosen from the logits of all tokens. */
async function plainAnswer(decoder: Decoder, { ids, given, automaton }: Asked): Promise<readonly number[]> {
  const logits: Float32Array[] = [];
  decoder.restart(0);
  let next = ids;
  for (const id of given) {
    await decoder.append([{ branch: 0, ids: next }]);
    const all = await decoder.logits(0);
    chooseOfAll(all);
    logits.push(all);
    next = [id];
  }
  return chosenAmongAllowed(automaton.another(), given, logits);
}

/** As answers are always written. */
async function writtenAnswer(decoder: Decoder, prompt: Asked): Promise<readonly number[]> {
  const { chosen } = await answersTo(decoder, [{ ...prompt, prefix: [] }]);
  return chosen[0] ?? [];
}

/** Where the grammar leaves a choice, the likeliest token of those allowed. @param logits (V) before each token given */
function chosenAmongAllowed(automaton: SpanAutomaton, given: readonly number[], logits: readonly Float32Array[]) {
  const chosen: number[] = [];
  for (const [index, id] of given.entries()) {
    const allowed = automaton.allowed();
    const own = Float32Array.from(allowed, (one) => logits[index]?.[one] ?? NaN);
    if (allowed.length > 1) chosen.push(chooseAmong(own, allowed).id);
    automaton.advance(id);
  }
  return chosen;
}

/** Prompts and answers as they are always written, but each alone and from its start. */
async function oneByOne(llama: Llama, prompts: readonly Asked[]): Promise<Outcome> {
  const decoder = decoderFor(llama, prompts, 1);
  const outcome = await answersTo(
    decoder,
    prompts.map((prompt) => ({ ...prompt, prefix: [] })),
  );
  decoder.destroy();
  return outcome;
}

/** Prompts and answers, several at a time, behind the instruction that an earlier document left on the cache. */
async function sideBySide(llama: Llama, prompts: readonly Asked[]): Promise<Outcome> {
  const decoder = decoderFor(llama, prompts, Math.min(BRANCHES, prompts.length));
  const prefix = prompts[0]?.prefix ?? [];
  await decoder.keep([prefix]);
  decoder.restart(0, prefix);
  await decoder.append([{ branch: 0, ids: [0] }]);
  await decoder.pickedLogits([{ branch: 0, ids: [0] }]); // until it has been run
  const outcome = await answersTo(decoder, prompts);
  decoder.destroy();
  return outcome;
}

async function answersTo(decoder: Decoder, prompts: readonly Asked[]): Promise<Outcome> {
  const began = performance.now();
  const writers = prompts.map((prompt) => new GivenWriter(prompt));
  const asked = prompts.map(({ ids, prefix }, i) => ({ ids, prefix, writer: () => writers[i] as GivenWriter }));
  for await (const { answer } of writeAll(decoder, asked, undefined)) {
    if (answer === null) throw new Error("expected room for every answer, got none (a fault of this benchmark)");
  }
  return { chosen: writers.map(({ chosen }) => chosen), seconds: (performance.now() - began) / 1000 };
}

function decoderFor(llama: Llama, prompts: readonly Asked[], branches: number): Decoder {
  const longest = (lengths: readonly number[]): number => Math.max(...lengths);
  const prompt = longest(prompts.map(({ ids }) => ids.length));
  return new Decoder(llama, null, {
    prefixes: prompt,
    branches,
    branch: prompt + longest(prompts.map(({ given }) => given.length)),
  });
}
