/** The engine against PyTorch in f64 on SmolLM2-135M-Instruct.Q4_1.gguf (OBP_MODEL_DIR). */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileSource } from "../cli/fileSource.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { PAPER_SFT } from "./config.ts";
import { expectWithin, goldenAdapter, goldenExamples, projectedErrors, readGolden } from "./goldens.ts";
import { sftGradients } from "./gradients.ts";
import { testMethod } from "./methodGoldens.ts";
import { scoreExamples } from "./score.ts";
import { Trainer } from "./trainer.ts";

const gpu = await testGpu();
const golden = readGolden("smollm2");
const examples = goldenExamples(golden);
let llama: Llama;
let tokenizer: Tokenizer;

beforeAll(async () => {
  const folder = process.env["OBP_MODEL_DIR"];
  if (folder === undefined) {
    throw new Error("expected OBP_MODEL_DIR, the folder of SmolLM2-135M-Instruct.Q4_1.gguf, got nothing (set it)");
  }
  const gguf = await openGguf(await fileSource(join(folder, "SmolLM2-135M-Instruct.Q4_1.gguf")));
  tokenizer = Tokenizer.fromGguf(gguf);
  llama = await Llama.load(gpu, gguf);
});
afterAll(() => llama.destroy());

test("token log-probabilities with adapter", async () => {
  const lora = Lora.fromWeights(llama, goldenAdapter(llama, golden));
  const scores = await scoreExamples(llama, lora, examples);
  lora.destroy();
  scores.forEach(({ tokenLogprobs }, i) => expectWithin(tokenLogprobs, golden.withAdapter.tokenLogprobs[i], 1e-3));
});

test("token log-probabilities without adapter, on the first prompt", async () => {
  const [score] = await scoreExamples(llama, null, examples.slice(0, 1));
  expectWithin(score?.tokenLogprobs ?? [], golden.withoutAdapter.tokenLogprobs[0], 1e-3);
});

test("loss and every LoRA gradient", async () => {
  const lora = Lora.fromWeights(llama, goldenAdapter(llama, golden));
  const { loss, gradients } = await sftGradients(llama, lora, examples);
  lora.destroy();
  expect(Math.abs(loss - golden.withAdapter.loss)).toBeLessThan(1e-4);
  expect([...gradients.tensors.keys()].sort()).toEqual(Object.keys(golden.withAdapter.gradNorms).sort());
  const errors = projectedErrors(gradients, golden.withAdapter);
  expect(errors[0]?.error).toBeLessThan(3e-4);
  expect(errors[errors.length >> 1]?.error).toBeLessThan(1e-4);
});

// All 20 take about half an hour on a software adapter: OBP_CURVE_STEPS=20, and the result into bench/RESULTS.md.
const curveSteps = Number(process.env["OBP_CURVE_STEPS"] ?? 3);

test(`the first ${curveSteps} steps of the loss curve`, { timeout: 7_200_000 }, async () => {
  const lora = Lora.fromWeights(llama, goldenAdapter(llama, golden));
  const settings = { ...PAPER_SFT, ...lora.config, learningRate: 1e-3, gradAccumSteps: examples.length };
  const trainer = await Trainer.create(llama, lora, examples, { ...settings, epochs: 20, checkpointing: "none" });
  const curve: number[] = [];
  while (curve.length < curveSteps) {
    curve.push((await trainer.step()).loss);
  }
  trainer.destroy();
  lora.destroy();
  const worst = Math.max(...curve.map((loss, i) => Math.abs(loss - (golden.curve[i] ?? NaN))));
  console.info(`largest difference of ${curveSteps} losses: ${worst.toExponential(1)}`);
  expectWithin(curve, golden.curve.slice(0, curveSteps), 1e-3);
});

describe("the method's later stages", { timeout: 7_200_000 }, () => {
  testMethod("smollm2", () => ({ llama, tokenizer }), { curveSteps, options: false });
});
