/** The pairs of stage 3 in the studio, on the bundled model. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { Predictor } from "../predict/predict.ts";
import { STAGE_DEFAULTS } from "../train/presets.ts";
import { readModel } from "./modelFacts.ts";
import { labelledPairs, makePairs } from "./trainStage.ts";

const file = readFileSync(new URL("../../public/models/obp-mini.gguf", import.meta.url));
const model = await readModel(new Blob([file]), "obp-mini.gguf", { origin: "file", cached: false });
const documents = [
  {
    ...{ id: "a", text: "Melt butter now", entities: [{ start: 5, end: 11, type: "food" }] },
    rejected: [
      { start: 0, end: 11, type: "food" }, // as the entity expanded to the left: one pair
      { start: 0, end: 4, type: "food" },
    ],
  },
];
const types = [{ name: "food", definition: "things to eat" }];
const config = { ...STAGE_DEFAULTS.dpo, boundaryKinds: ["expand-left"] as const };

test("what annotators refused is counted before a DPO training, each wrong answer once", () => {
  const { pairs, leftOut } = labelledPairs(model, { documents, types }, config);
  expect([pairs.length, leftOut]).toEqual([2, []]);
});

test("and is among its pairs, with what the reference gives both answers", async () => {
  const llama = await Llama.load(await testGpu(), model.gguf);
  await llama.prepareTraining();
  const lora = Lora.create(llama, config, 1);
  const signal = new AbortController().signal;
  const input = { llama, lora, predictor: new Predictor(llama, lora), model, config, documents, types, signal };
  const pairs = await makePairs(input, () => undefined);
  const HEAD = "The entities I extracted for you are";
  expect(pairs.slice(0, 2).map(({ kind, rejected }) => [kind, rejected])).toEqual([
    ["expand-left", `${HEAD} <<< Melt butter >>> .`],
    ["feedback", `${HEAD} <<< Melt >>> <<< butter >>> .`],
  ]);
  for (const { chosen, reference } of pairs) {
    expect(chosen).toBe(`${HEAD} <<< butter >>> .`);
    expect(reference.chosen).toBeLessThan(0);
    expect(reference.rejected).toBeLessThan(0);
  }
  input.predictor.destroy();
  lora.destroy();
});
