/** The engine against PyTorch in f64 on the bundled model: reference/make_goldens.py makes the goldens. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { readSafetensors } from "../model/adapters/safetensors.ts";
import { Llama } from "../model/llama.ts";
import { bundledGguf } from "../model/testBundled.ts";
import { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "./config.ts";
import { expectWithin, goldenAdapter, goldenExamples, projectedErrors, readGolden } from "./goldens.ts";
import { sftGradients } from "./gradients.ts";
import { scoreExamples } from "./score.ts";
import { Trainer } from "./trainer.ts";

const gpu = await testGpu();
const golden = readGolden("bundled");
const examples = goldenExamples(golden);
let llama: Llama;

beforeAll(async () => {
  llama = await Llama.load(gpu, await bundledGguf());
});
afterAll(() => llama.destroy());

describe("bundled model against PyTorch", { timeout: 900_000 }, () => {
  test("token log-probabilities, without and with adapter", async () => {
    const plain = await scoreExamples(llama, null, examples);
    plain.forEach(({ tokenLogprobs }, i) => expectWithin(tokenLogprobs, golden.withoutAdapter.tokenLogprobs[i], 1e-3));
    const lora = Lora.fromWeights(llama, goldenAdapter(llama, golden));
    const adapted = await scoreExamples(llama, lora, examples);
    adapted.forEach(({ tokenLogprobs }, i) => expectWithin(tokenLogprobs, golden.withAdapter.tokenLogprobs[i], 1e-3));
    lora.destroy();
  });

  test("loss and every LoRA gradient", async () => {
    const lora = Lora.fromWeights(llama, goldenAdapter(llama, golden));
    const { loss, gradients } = await sftGradients(llama, lora, examples);
    lora.destroy();
    expect(Math.abs(loss - golden.withAdapter.loss)).toBeLessThan(1e-4);
    const expected = readSafetensors(
      readFileSync(new URL("../../reference/goldens/bundled-grads.safetensors", import.meta.url)),
    );
    expect([...gradients.tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    const errors = [...gradients.tensors].map(([name, { data }]) => ({
      name,
      error: relativeError(data, expected.get(name)?.data ?? new Float32Array()),
    }));
    errors.sort((a, b) => b.error - a.error);
    expect(errors[0]?.error).toBeLessThan(3e-4);
    expect(errors[errors.length >> 1]?.error).toBeLessThan(1e-4);
    // The estimate that SmolLM2's golden relies on sees the same.
    expect(projectedErrors(gradients, golden.withAdapter)[0]?.error).toBeLessThan(1e-3);
  });

  test.each(["layer", "none"] as const)("loss curve, checkpointing %s", async (checkpointing) => {
    const steps = checkpointing === "none" ? 20 : 3; // the schedule and the 20-step golden are the same for both
    const lora = Lora.fromWeights(llama, goldenAdapter(llama, golden));
    const trainer = await Trainer.create(llama, lora, examples, {
      ...{ ...PAPER_SFT, ...lora.config, learningRate: 1e-3, gradAccumSteps: examples.length },
      ...{ epochs: 20, checkpointing },
    });
    const curve: number[] = [];
    for (let i = 0; i < steps; i++) {
      curve.push((await trainer.step()).loss);
    }
    trainer.destroy();
    lora.destroy();
    expectWithin(curve, golden.curve.slice(0, steps), 1e-3);
  });
});

/** ‖actual − expected‖ / ‖expected‖ */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += ((actual[i] ?? NaN) - (expected[i] ?? NaN)) ** 2;
    norm += (expected[i] ?? NaN) ** 2;
  }
  return Math.sqrt(difference / norm);
}
