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
import { SpanWriter, type Writer } from "../predict/writers.ts";
import { HeapWatch, peakProcessBytes, type BenchRow } from "./benchRow.ts";
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
/** After a first round, which compiles; rounds take turns, so that a busy machine slows all alike. */
const REPETITIONS = 3;

interface Asked {
  readonly ids: readonly number[];
  /** The instruction. */
  readonly prefix: PrefixParts;
  /** Of the answer. */
  readonly given: readonly number[];
  readonly writer: () => GivenWriter;
}

/** Writes the given answer, whatever is chosen. */
class GivenWriter implements Writer {
  readonly #inner: SpanWriter;
  readonly #given: readonly number[];

  constructor(inner: SpanWriter, given: readonly number[]) {
    [this.#inner, this.#given] = [inner, given];
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

  take({ probability }: Choice): void {
    this.#inner.take({ id: this.#given[this.answer().ids.length] ?? NaN, probability });
  }

  answer() {
    return this.#inner.answer();
  }
}

export async function benchDecode(model: string, context: Context): Promise<BenchRow[]> {
  const opened = await openWithTokenizer(model);
  const gpu = await context.gpu();
  const heap = new HeapWatch();
  try {
    const { llama } = await loadModel(opened, null, context);
    const prompts = SENTENCES.map((sentence) => askedFor(opened.tokenizer, ...sentence));
    const ways: readonly (readonly [name: string, against: number | null, run: () => Promise<number>])[] = [
      ["answers token by token, whole vocabulary", null, () => plainAnswers(llama, prompts)],
      ["answers with forced runs together, allowed tokens", 0, () => constrainedAnswers(llama, prompts)],
      ["8 prompts and answers, one by one from their start", null, () => sideBySide(llama, prompts, 1)],
      ["8 prompts and answers side by side, one beginning", 2, () => sideBySide(llama, prompts, prompts.length)],
    ];
    const seconds = ways.map(() => [] as number[]);
    for (let repetition = 0; repetition <= REPETITIONS; repetition++) {
      for (const [i, [, , run]] of ways.entries()) {
        context.signal.throwIfAborted();
        const taken = await run();
        if (repetition > 0) seconds[i]?.push(taken);
      }
    }
    const median = (i: number): number => seconds[i]?.sort((a, b) => a - b)[Math.floor(REPETITIONS / 2)] ?? NaN;
    return ways.map(([name, against], i) => ({
      ...{ name, seconds: median(i), gflops: null, ratio: against === null ? null : median(against) / median(i) },
      ...{ peakGpuBytes: llama.gpuBytes, peakHeapBytes: heap.peak, peakProcessBytes: peakProcessBytes() },
      adapter: gpu.adapterName,
    }));
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
  const given = whole.ids.slice(whole.responseStart);
  const automaton = new SpanAutomaton({ tokenizer, sentence, words: segmentWords({ text: sentence }) });
  return {
    ids: whole.ids.slice(0, whole.responseStart),
    prefix: [whole.ids.slice(0, instruction)],
    given,
    writer: () => new GivenWriter(new SpanWriter(automaton.another(), TYPE), given),
  };
}

/** Every token of the answers chosen from the logits of all tokens. @returns seconds after the prompts */
async function plainAnswers(llama: Llama, prompts: readonly Asked[]): Promise<number> {
  const decoder = decoderFor(llama, prompts, 1);
  let seconds = 0;
  for (const { ids, given } of prompts) {
    await startAlone(decoder, ids);
    const began = performance.now();
    for (const id of given) {
      chooseOfAll(await decoder.logits(0));
      await decoder.append([{ branch: 0, ids: [id] }]);
    }
    seconds += (performance.now() - began) / 1000;
  }
  decoder.destroy();
  return seconds;
}

/** Only choices are asked for, and of the allowed tokens alone. @returns seconds after the prompts */
async function constrainedAnswers(llama: Llama, prompts: readonly Asked[]): Promise<number> {
  const decoder = decoderFor(llama, prompts, 1);
  let seconds = 0;
  for (const { ids, writer } of prompts) {
    const writing = writer();
    await startAlone(decoder, ids);
    const began = performance.now();
    while (!writing.done) {
      await decoder.append([{ branch: 0, ids: writing.unread() }]);
      const allowed = writing.allowed();
      const [logits = new Float32Array()] = await decoder.pickedLogits([{ branch: 0, ids: allowed }]);
      writing.take(chooseAmong(logits, allowed));
    }
    seconds += (performance.now() - began) / 1000;
  }
  decoder.destroy();
  return seconds;
}

/** Prompts and answers, so many at a time; a single one has nothing to share. @returns seconds of all */
async function sideBySide(llama: Llama, prompts: readonly Asked[], branches: number): Promise<number> {
  const decoder = decoderFor(llama, prompts, branches);
  const groups = branches === 1 ? prompts.map((prompt) => [{ ...prompt, prefix: [] }]) : [prompts];
  const began = performance.now();
  for (const group of groups) {
    for await (const { answer } of writeAll(decoder, group, undefined)) {
      if (answer === null) throw new Error("expected room for every answer, got none (a fault of this benchmark)");
    }
  }
  const seconds = (performance.now() - began) / 1000;
  decoder.destroy();
  return seconds;
}

function decoderFor(llama: Llama, prompts: readonly Asked[], branches: number): Decoder {
  const [prompt, answer] = [prompts.map(({ ids }) => ids.length), prompts.map(({ given }) => given.length)];
  const branch = Math.max(...prompt) + Math.max(...answer);
  return new Decoder(llama, null, {
    prefixes: Math.max(...prompts.map(({ prefix }) => prefix.flat().length)),
    branches,
    branch,
  });
}

async function startAlone(decoder: Decoder, ids: readonly number[]): Promise<void> {
  decoder.restart(0);
  await decoder.append([{ branch: 0, ids }]);
  await decoder.pickedLogits([{ branch: 0, ids: [0] }]); // until the prompt has been run
}
