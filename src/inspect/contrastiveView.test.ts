/** The contrastive view of the bundled model: numbers of the training log, and of PyTorch's golden cosines. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { Llama } from "../model/llama.ts";
import { bundledGguf } from "../model/testBundled.ts";
import { filledLora } from "../model/testLora.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { PAPER_SFT } from "../train/config.ts";
import { buildExamples } from "../train/examples.ts";
import { Trainer } from "../train/trainer.ts";
import { contrastiveView } from "./contrastiveView.ts";

let llama: Llama;
let tokenizer: Tokenizer;
beforeAll(async () => {
  const gguf = await bundledGguf();
  tokenizer = Tokenizer.fromGguf(gguf);
  llama = await Llama.load(await testGpu(), gguf);
});
afterAll(() => llama.destroy());

const type = { name: "person", definition: "names of people, real or fictional" };
const text = "Marta Lindqvist met Tom";
const document = {
  id: "one",
  text,
  entities: [
    { start: 0, end: 15, type: "person" },
    { start: 20, end: 23, type: "person" },
  ],
};
const options = { layer: null, rope: "pre", pooling: "mean", weight: 0.01 } as const;

test("cosines of entities and of the tokens beside them; the losses are the training log's, number for number", async () => {
  const lora = await filledLora(llama, { rank: 4, targets: ["q_proj", "k_proj"], deviation: 0.05 });
  const view = await contrastiveView(llama, lora, tokenizer, document, type, options);
  expect(view.layer).toBe(7);
  expect(view.entities.map((entity) => [entity.text, entity.left?.token, entity.right?.token])).toEqual([
    ["Marta Lindqvist", undefined, " met"], // nothing of the sentence stands left of the first
    ["Tom", " met", undefined],
  ]);
  const cosines = view.entities.flatMap(({ cosine, left, right }) => [cosine, left?.cosine ?? 0, right?.cosine ?? 0]);
  expect(cosines.every((value) => Math.abs(value) <= 1)).toBe(true);
  const z = view.entities.reduce((sum, { cosine, left, right }) => {
    return sum + cosine - (left?.cosine ?? 0) - (right?.cosine ?? 0);
  }, 0);
  expect(view.losses.contrastive_loss).toBeCloseTo(Math.log1p(Math.exp(-z)), 5);

  const { examples } = buildExamples(tokenizer, [document], [type], llama.config.contextLength, "mean");
  const config = { ...PAPER_SFT, ...lora.config, dropout: 0, gradAccumSteps: 1, contrastiveWeight: 0.01 };
  const trainer = await Trainer.create(llama, lora, examples, { ...config, contrastiveLayer: null });
  const { loss, sft_loss, contrastive_loss } = await trainer.step();
  trainer.destroy();
  lora.destroy();
  expect(view.losses).toEqual({ loss, sft_loss, contrastive_loss });
});

test("errors: no entity of the type, a layer that is not there", async () => {
  const other = { name: "river", definition: "streams of fresh water" };
  await expect(contrastiveView(llama, null, tokenizer, document, other, options)).rejects.toThrow(
    "expected at least one entity of type river in the sentence, got none",
  );
  const wrong = { ...options, layer: 8 };
  await expect(contrastiveView(llama, null, tokenizer, document, type, wrong)).rejects.toThrow("from 0 to 7");
});
