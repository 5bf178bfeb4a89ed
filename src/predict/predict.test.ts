/** Answers written side by side against answers written alone, on the bundled model with an adapter that says much. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { Llama } from "../model/llama.ts";
import { bundledGguf } from "../model/testBundled.ts";
import type { Lora } from "../model/lora.ts";
import { filledLora } from "../model/testLora.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import type { Document } from "../ner/document.ts";
import { type Prediction, predictDocuments, type PredictOptions } from "./predict.ts";

let llama: Llama;
let lora: Lora;
let tokenizer: Tokenizer;

beforeAll(async () => {
  const gguf = await bundledGguf();
  tokenizer = Tokenizer.fromGguf(gguf);
  llama = await Llama.load(await testGpu(), gguf);
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
