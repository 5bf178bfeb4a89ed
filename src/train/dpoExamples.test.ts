import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { type DpoPair, dpoPair, pairLogprobs, pairSequences, pairTargets } from "./dpoExamples.ts";
import { dpoGradients, sftGradients } from "./gradients.ts";
import { packExamples } from "./packing.ts";
import { scoreExamples } from "./score.ts";
import { expectSlope, openTinyLlama } from "./tinyLlama.ts";

const encoded = (ids: readonly number[], responseStart: number) => ({ ids, responseStart });

describe("a pair", () => {
  const packOf = (...pairs: readonly DpoPair[]) => {
    const [pack] = packExamples(pairs, pairSequences, 100);
    if (pack === undefined) throw new Error("expected a pack");
    return pack;
  };

  test("what both answers begin with runs once, and every token of both is predicted", () => {
    const pair = dpoPair("p", encoded([1, 2, 3, 7, 8, 0], 3), encoded([1, 2, 3, 7, 9, 9, 0], 3));
    expect(pair.ids).toEqual([1, 2, 3, 7, 8, 0, 9, 9, 0]);
    const pack = packOf(pair);
    expect(pack.ids).toEqual([1, 2, 3, 7, 8, 9, 9]);
    expect(pack.tree.nodes).toEqual([4, 1, 2].map((count, node) => ({ count, parent: node === 0 ? null : 0 })));
    const { targets, answers } = pairTargets(pack);
    expect(answers.map((own) => own.map((target) => targets[target]))).toEqual([
      [
        { row: 2, label: 7 },
        { row: 3, label: 8 },
        { row: 4, label: 0 },
      ],
      [
        { row: 2, label: 7 },
        { row: 3, label: 9 },
        { row: 5, label: 9 },
        { row: 6, label: 0 },
      ],
    ]);
    expect(targets.length).toBe(6);
  });

  test("an answer that is the beginning of the other has no row of its own", () => {
    const pack = packOf(dpoPair("p", encoded([1, 2, 5, 6], 2), encoded([1, 2, 5], 2)));
    expect(pack.ids).toEqual([1, 2, 5]);
    expect(pairTargets(pack)).toEqual({
      targets: [
        { row: 1, label: 5 },
        { row: 2, label: 6 },
      ],
      answers: [[0, 1], [0]],
    });
  });

  test("several pairs of one prompt have its chosen answer in common", () => {
    const chosen = encoded([1, 2, 3, 4, 0], 2);
    const pack = packOf(dpoPair("a", chosen, encoded([1, 2, 5, 0], 2)), dpoPair("b", chosen, encoded([1, 2, 6, 0], 2)));
    expect(pack.ids).toEqual([1, 2, 3, 4, 5, 6]);
    expect(pairTargets(pack).answers).toEqual([
      [0, 1, 2],
      [3, 4],
      [0, 1, 2],
      [5, 6],
    ]);
  });

  test("the same answer twice, and prompts that differ, are errors", () => {
    expect(() => dpoPair("line 4", encoded([1, 2, 3], 2), encoded([1, 2, 3], 2))).toThrow(
      "expected two different answers in line 4, got the same one twice",
    );
    expect(() => dpoPair("line 5", encoded([1, 2, 3], 2), encoded([1, 9, 3], 2))).toThrow(
      "expected both answers of line 5 behind the same prompt, got prompts that differ at token 1 of 2",
    );
  });
});

describe("pairs on a tiny Llama", () => {
  let llama: Llama;
  let lora: Lora;
  const pairs = [
    dpoPair("a", encoded([5, 9, 20, 31, 34, 7, 3], 4), encoded([5, 9, 20, 31, 34, 30, 29, 28, 3], 4)),
    dpoPair("b", encoded([12, 13, 14, 15, 3], 2), encoded([12, 13, 39, 3], 2)),
  ];
  const alone = (side: "chosen" | "rejected") => [
    {
      name: "a",
      ids: side === "chosen" ? [5, 9, 20, 31, 34, 7, 3] : [5, 9, 20, 31, 34, 30, 29, 28, 3],
      responseStart: 4,
    },
    { name: "b", ids: side === "chosen" ? [12, 13, 14, 15, 3] : [12, 13, 39, 3], responseStart: 2 },
  ];

  beforeAll(async () => {
    ({ llama, lora } = await openTinyLlama());
  });
  afterAll(() => {
    lora.destroy();
    llama.destroy();
  });

  test("log-probabilities are those of each answer behind its prompt alone", async () => {
    const together = await pairLogprobs(llama, lora, pairs);
    const chosen = await scoreExamples(llama, lora, alone("chosen"));
    const rejected = await scoreExamples(llama, lora, alone("rejected"));
    together.forEach((pair, i) => {
      expect(pair.chosen).toBeCloseTo(chosen[i]?.logprob ?? NaN, 4);
      expect(pair.rejected).toBeCloseTo(rejected[i]?.logprob ?? NaN, 4);
    });
  });

  test("with beta 0 the gradient is that of the chosen answers' cross-entropy, without their partners' rows", async () => {
    const examples = pairs.map((pair) => ({ ...pair, reference: { chosen: -3, rejected: -4 } }));
    const dpo = await dpoGradients(llama, lora, examples, { beta: 0, sftAlpha: 1, dpopLambda: 0 });
    const sft = await sftGradients(llama, lora, alone("chosen"));
    expect(dpo.nll_loss).toBeCloseTo(sft.loss, 5);
    expect(dpo.dpo_loss).toBeCloseTo(Math.log(2), 6);
    for (const [name, { data }] of dpo.gradients.tensors) {
      const expected = sft.gradients.tensors.get(name)?.data ?? new Float32Array();
      data.forEach((value, i) => expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThan(1e-5));
    }
  });

  test("the gradient is the loss's slope along a direction", async () => {
    const examples = pairs.map((pair) => ({ ...pair, reference: { chosen: -30, rejected: -31 } }));
    const settings = { beta: 0.3, sftAlpha: 0.2, dpopLambda: 2 };
    await expectSlope(llama, lora, (adapter) => dpoGradients(llama, adapter, examples, settings));
  });
});
