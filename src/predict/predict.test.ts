/** Answers written side by side against answers written alone, on the bundled model with an adapter that says much. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { created } from "../gpu/testCreated.ts";
import { Llama } from "../model/llama.ts";
import { decodingParts, sumParts, weightParts } from "../model/memoryPlan.ts";
import { bundledGguf } from "../model/testBundled.ts";
import type { Lora } from "../model/lora.ts";
import { filledLora } from "../model/testLora.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import type { Document } from "../ner/document.ts";
import { segmentWords } from "../ner/words.ts";
import { encodePrompt } from "../ner/prompt.ts";
import { plannedDecoder, type Prediction, predictDocuments, type PredictOptions, Predictor } from "./predict.ts";

const gpu = await testGpu();
let llama: Llama;
let lora: Lora;
let tokenizer: Tokenizer;

beforeAll(async () => {
  const gguf = await bundledGguf();
  tokenizer = Tokenizer.fromGguf(gguf);
  llama = await Llama.load(gpu, gguf);
  lora = await filledLora(llama, { rank: 4, targets: ["o_proj", "down_proj"], deviation: 0.3 });
}, 60_000);
afterAll(() => {
  lora.destroy();
  llama.destroy();
});

const types = [
  { name: "ingredient", definition: "what is cooked or eaten" },
  { name: "utensil", definition: "a tool or vessel of the kitchen" },
  { name: "place", definition: "where something is kept" },
];
const texts = [
  "Fry two onions in butter.",
  "The ladle hangs behind the door of the pantry, between the sieve and the big wooden spoon.",
  "Salt.",
];
const documents = texts.map((text, index): Document => ({ id: `d${index}`, text, entities: [] }));

async function predict(some: readonly Document[], asked: typeof types, options: PredictOptions): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  for await (const prediction of predictDocuments(llama, lora, tokenizer, some, asked, options)) {
    predictions.push(prediction);
  }
  return predictions;
}

test.each([{ mode: "span" }, { mode: "free", maxNewTokens: 5 }] as const)(
  "nine answers, more than go side by side, are those written one by one: $mode",
  async (options) => {
    const progress: string[] = [];
    const onProgress = (done: number, total: number): void => void progress.push(`${done}/${total}`);
    const together = await predict(documents, types, { ...options, onProgress });
    expect(progress).toEqual(Array.from({ length: 9 }, (_, index) => `${index + 1}/9`));
    expect(together.map(({ documentId }) => documentId)).toEqual(["d0", "d1", "d2"]);
    for (const [index, document] of documents.entries()) {
      const { responses, entities } = together[index] as Prediction;
      expect(responses.map(({ type }) => type)).toEqual(types.map(({ name }) => name));
      for (const type of types) {
        const [alone] = await predict([document], [type], options);
        expect(responses.filter((response) => response.type === type.name)).toEqual(alone?.responses);
        const own = entities.filter((entity) => entity.type === type.name);
        expect(own.map(({ start, end }) => [start, end])).toEqual(
          alone?.entities.map(({ start, end }) => [start, end]),
        );
        own.forEach(({ probability }, i) => expect(probability).toBeCloseTo(alone?.entities[i]?.probability ?? NaN, 4));
      }
    }
    if (options.mode === "free") return;
    // An adapter that answered nothing would make all this easy.
    expect(new Set(together.flatMap(({ responses }) => responses.map(({ text }) => text))).size).toBeGreaterThan(4);
  },
  120_000,
);

test("type by type, where documents fill the branches; one over the context is left out in its place", async () => {
  const long: Document = { id: "long", text: "salt and ".repeat(1200), entities: [] };
  const many = [...documents, long, ...documents, ...documents].map((one, index) => ({ ...one, id: `d${index}` }));
  const [first, second] = types.slice(0, 2);
  const both = await predict(many, types.slice(0, 2), { mode: "span" });
  expect(both.map(({ documentId }) => documentId)).toEqual(many.map(({ id }) => id));
  expect(both[3]?.leftOut.map(({ type }) => type)).toEqual([first?.name, second?.name]);
  expect(both[3]?.leftOut[0]?.tokens).toBeGreaterThan(llama.config.contextLength);
  const withoutLong = both.filter((_, index) => index !== 3);
  expect(withoutLong.every(({ leftOut }) => leftOut.length === 0)).toBe(true);
  // The same sentence has the same answers, whoever stands beside it.
  withoutLong.forEach(({ responses }, index) => expect(responses).toEqual(withoutLong[index % 3]?.responses));
}, 120_000);

test("no documents, no types", async () => {
  expect(await predict([], types, { mode: "span" })).toEqual([]);
  expect(await predict(documents, [], { mode: "span" })).toHaveLength(3);
});

/** A predictor that has answered one document. */
async function started(text: string): Promise<Predictor> {
  const predictor = new Predictor(llama, lora);
  await answered(predictor, text);
  return predictor;
}

async function answered(predictor: Predictor, text: string): Promise<Prediction | undefined> {
  const document: Document = { id: "one", text, entities: [] };
  for await (const prediction of predictor.predict(tokenizer, [document], types, { mode: "span" })) return prediction;
  return undefined;
}

test("a second document of like size creates nothing on the device", async () => {
  const predictor = await started("Fry two onions in butter.");
  const text = "Keep the salt in a jar.";
  let second: Prediction | undefined;
  const made = await created(gpu, async () => {
    second = await answered(predictor, text);
  });
  expect(made).toEqual([]);
  const [fresh] = await predict([{ id: "one", text, entities: [] }], types, { mode: "span" });
  expect(second?.responses).toEqual(fresh?.responses);
  predictor.destroy();
}, 60_000);

test("the plan of prompts so long is what predicting them takes", async () => {
  const text = "The ladle hangs behind the door of the pantry. ".repeat(8);
  const many = Array.from({ length: 3 }, (_, index): Document => ({ id: `${index}`, text, entities: [] }));
  // Prompt and longest answer, as predicting reckons them.
  const before = gpu.allocated.bytes - llama.gpuBytes - lora.gpuBytes;
  const predictor = new Predictor(llama, lora);
  const stop = new AbortController();
  const options = { mode: "span", signal: stop.signal, onProgress: () => stop.abort() } as const;
  await expect(predictor.predict(tokenizer, many, types, options).next()).rejects.toThrow(/abort/i);
  const taken = gpu.allocated.bytes - before;
  const gguf = await bundledGguf();
  const model = { config: llama.config, tensors: [...gguf.tensors.values()], embeddingInFile: false };
  const prompt = Math.max(...types.map((type) => encodePrompt(tokenizer, text, type, null).ids.length));
  const tokens = prompt + longestAnswer(text);
  const planned = sumParts([
    ...weightParts(model, tokens),
    ...decodingParts(model, lora.config, plannedDecoder(llama.config, tokens)),
  ]);
  expect(Math.abs(planned / taken - 1)).toBeLessThan(0.05);
  predictor.destroy();
}, 60_000);

/** A token a byte, marks around every word, and the words of an answer without entities. */
function longestAnswer(text: string): number {
  const [type] = types;
  if (type === undefined) return NaN;
  const lengthOf = (answer: [] | null): number => encodePrompt(tokenizer, "", type, answer).ids.length;
  const marks = tokenizer.encode(" <<< >>>").ids.length;
  return new TextEncoder().encode(text).length + marks * segmentWords({ text }).length + lengthOf([]) - lengthOf(null);
}
