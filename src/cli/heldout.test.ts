/** Held-out scores while the adapter changes: one predictor serves all of them, and nothing of older weights is used. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { Llama } from "../model/llama.ts";
import { filledLora } from "../model/testLora.ts";
import { bundledGguf } from "../model/testBundled.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import type { Document, Entity } from "../ner/document.ts";
import { Predictor } from "../predict/predict.ts";
import { PAPER_SFT } from "../train/config.ts";
import { Trainer } from "../train/trainer.ts";
import { Context } from "./context.ts";
import { Heldout } from "./heldout.ts";

const gpu = await testGpu();
const folder = mkdtempSync(join(tmpdir(), "obp-heldout-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("scores after a step are those of a fresh predictor, and allocate nothing", async () => {
  const gguf = await bundledGguf();
  const llama = await Llama.load(gpu, gguf);
  const model = { tokenizer: Tokenizer.fromGguf(gguf), config: llama.config };
  const config = { ...PAPER_SFT, rank: 4, gradAccumSteps: 1, learningRate: 0.1, warmupRatio: 0, epochs: 2 };
  const lora = await filledLora(llama, { rank: 4, targets: config.targets, deviation: 0.2 });
  const example = { name: "a", ids: Array.from({ length: 30 }, (_, i) => 7 * i + 3), responseStart: 10 };
  const trainer = await Trainer.create(llama, lora, [example], config);
  const documents: Document[] = [
    { id: "a", text: "Salt the onions.", entities: [{ start: 9, end: 15, type: "food" }] },
    { id: "b", text: "A pan of butter, hot.", entities: [{ start: 9, end: 15, type: "food" }] },
  ];
  const types = [
    { name: "food", definition: "what is eaten" },
    { name: "tool", definition: "what one cooks with" },
  ];
  const context = new Context("auto", new AbortController().signal);
  vi.spyOn(context, "note").mockReturnValue();
  const input = { model, documents, types, config, folder, context };
  // What the scores are made of.
  const seen: Entity[][] = [];
  const predict = Reflect.get<Predictor, "predict">(Predictor.prototype, "predict");
  vi.spyOn(Predictor.prototype, "predict").mockImplementation(async function* (this: Predictor, ...asked) {
    for await (const prediction of predict.apply(this, asked)) {
      seen.push(prediction.entities);
      yield prediction;
    }
  });
  const fresh = async (): Promise<Entity[][]> => {
    const predictor = new Predictor(llama, lora);
    const found: Entity[][] = [];
    for await (const { entities } of predict.apply(predictor, [model.tokenizer, documents, types, { mode: "span" }])) {
      found.push(entities);
    }
    predictor.destroy();
    return found;
  };

  const heldout = new Heldout(input, llama, lora, 0);
  await heldout.score(await trainer.step());
  const before = seen.splice(0);
  expect(before).toEqual(await fresh());
  const log = await trainer.step();
  const create = vi.spyOn(gpu.device, "createBuffer");
  await heldout.score(log);
  expect(create.mock.calls.map(([{ label }]) => label)).toEqual([]);
  expect(seen).toEqual(await fresh());
  expect(seen).not.toEqual(before);
  expect(heldout.scores.map(({ step }) => step)).toEqual([1, 2]);
  [heldout, trainer, lora, llama].forEach((one) => one.destroy());
}, 60_000);
