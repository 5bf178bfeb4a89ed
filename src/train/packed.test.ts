/**
 * Packed passes against one example a pass, on a tiny Llama: the same losses and gradients. What differs is the order in
 * which f32 adds up the rows of a gradient and the keys of attention: some 100 terms, so a few units in the last place
 * (6e-8) of the largest, for every one of the products behind one another.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "./config.ts";
import type { ContrastiveRows } from "./contrastiveRows.ts";
import { type DpoExample, dpoPair, pairLogprobs } from "./dpoExamples.ts";
import type { PackedOptions, TrainExample } from "./examples.ts";
import { contrastiveGradients, dpoGradients, type Gradients, sftGradients } from "./gradients.ts";
import { openTinyLlama } from "./tinyLlama.ts";
import { Trainer } from "./trainer.ts";

/** Of a loss, and of a gradient's norm. */
const TOLERANCE = 2e-6;

let llama: Llama;
let lora: Lora;
beforeAll(async () => {
  ({ llama, lora } = await openTinyLlama());
});
afterAll(() => {
  lora.destroy();
  llama.destroy();
});

const HEADER = [5, 9, 20, 31];
const TYPES = [
  [7, 8, 30],
  [12, 13],
] as const;
/** Header, a type's instruction, a sentence; then the response. */
const example = (
  name: string,
  type: 0 | 1,
  sentence: readonly number[],
  response: readonly number[],
  contrastive: ContrastiveRows | null = null,
): TrainExample => {
  const prompt = [...HEADER, ...TYPES[type], ...sentence];
  return { name, ids: [...prompt, ...response, 3], responseStart: prompt.length, contrastive };
};

// Type tokens lie in shared rows: those of the first type are rows 4 and 5 of four prompts.
const shared = { type: [4, 5], entities: [[8, 9]], neighbours: [7, 10] };
const EXAMPLES: readonly TrainExample[] = [
  example("a", 0, [21, 22, 23, 24], [25, 26], shared),
  example("b", 0, [21, 22, 23, 27], [25, 28], { ...shared, entities: [[7], [9]], neighbours: [8] }),
  example("a again", 0, [21, 22, 23, 24], [25, 26], shared),
  example("a, another answer", 0, [21, 22, 23, 24], [25, 29, 26], shared),
  example("other type", 1, [21, 22, 23, 24], [25, 26], { type: [4, 5], entities: [[6], [7]], neighbours: [8] }),
  example("no entity", 1, [33, 34], [35]),
  { name: "nothing in common", ids: [36, 37, 38, 39, 2, 3], responseStart: 3, contrastive: null },
  example(
    "long",
    0,
    Array.from({ length: 40 }, (_, i) => 14 + (i % 7)),
    [25, 26],
    { type: [4, 5], entities: [[20, 21, 22]], neighbours: [19, 23] },
  ),
];
/** All of EXAMPLES in one pass; a budget that "long" exceeds; the first two exactly; room for no two. */
const BUDGETS = [512, 30, 16, 1];

/** What `a` (4 + 3 + 4 + 2 rows) and `b`'s own (a token of the sentence and two of the response) take. */
const FIRST_TWO = 13 + 3;

test("the budgets are what they are said to be", async () => {
  const passes = async (packTokens: number) => {
    const done: number[] = [];
    await sftGradients(llama, lora, EXAMPLES, { packTokens, onProgress: (count) => done.push(count) });
    return done;
  };
  expect(await passes(512)).toEqual([8]);
  expect((await passes(FIRST_TWO))[0]).toBe(3); // the third is the first again
  expect((await passes(FIRST_TWO - 1))[0]).toBe(1);
  expect(await passes(1)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await passes(0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

function expectSame(packed: Gradients, alone: Gradients): void {
  for (const [term, value] of Object.entries(alone)) {
    if (typeof value === "number") {
      const other = packed[term as keyof Gradients] as unknown as number;
      expect(Math.abs(other - value), term).toBeLessThanOrEqual(TOLERANCE * Math.max(1, Math.abs(value)));
    }
  }
  for (const [name, { data }] of alone.gradients.tensors) {
    const other = packed.gradients.tensors.get(name)?.data ?? new Float32Array();
    const norm = Math.hypot(...data);
    expect(Math.hypot(...data.map((value, i) => value - (other[i] ?? NaN))), name).toBeLessThanOrEqual(
      TOLERANCE * norm,
    );
  }
  expect([...packed.gradients.tensors.keys()]).toEqual([...alone.gradients.tensors.keys()]);
}

describe.each(BUDGETS)("packs of %d tokens", (packTokens) => {
  const compare = async (measure: (options: PackedOptions) => Promise<Gradients>) =>
    expectSame(await measure({ packTokens }), await measure({ packTokens: 0 }));

  test("SFT", async () => {
    await compare((options) => sftGradients(llama, lora, EXAMPLES, options));
  });

  test.each(["pre", "post"] as const)("the contrastive loss, %s-RoPE", async (rope) => {
    await compare((options) => contrastiveGradients(llama, lora, EXAMPLES, { layer: null, rope }, options));
  });

  test("SFT and the contrastive loss together", async () => {
    await compare(async (options) => {
      const settings = { dropout: 0, contrastiveWeight: 0.5, contrastiveLayer: 0, gradAccumSteps: EXAMPLES.length };
      const trainer = await Trainer.create(llama, lora, EXAMPLES, {
        ...PAPER_SFT,
        ...lora.config,
        ...settings,
        ...options,
      });
      const { losses, gradNorm, pages } = await trainer.gradients();
      const gradients = await lora.readPages(pages);
      trainer.destroy();
      return { ...losses, gradNorm, gradients };
    });
  });

  test("DPO, and the reference's log-probabilities", async () => {
    const prompt = [...HEADER, ...TYPES[0], 21, 22, 23];
    const answer = (...ids: readonly number[]) => ({ ids: [...prompt, ...ids, 3], responseStart: prompt.length });
    const other = (...ids: readonly number[]) => ({ ids: [36, 37, ...ids, 3], responseStart: 2 });
    const pairs = [
      dpoPair("a", answer(24, 25, 26), answer(24, 25, 27)),
      dpoPair("the same chosen answer", answer(24, 25, 26), answer(28)),
      dpoPair("rejected begins as chosen", answer(24, 25, 26), answer(24, 25)),
      dpoPair("another prompt", other(38, 39), other(11)),
      dpoPair("long", other(38, ...Array.from({ length: 40 }, (_, i) => 10 + (i % 9))), other(4, 6)),
    ];
    const logprobs = await pairLogprobs(llama, lora, pairs, { packTokens });
    const alone = await pairLogprobs(llama, lora, pairs, { packTokens: 0 });
    logprobs.forEach(({ chosen, rejected }, i) => {
      expect(chosen).toBeCloseTo(alone[i]?.chosen ?? NaN, 4);
      expect(rejected).toBeCloseTo(alone[i]?.rejected ?? NaN, 4);
    });
    const examples: DpoExample[] = pairs.map((pair, i) => {
      const { chosen = NaN, rejected = NaN } = alone[i] ?? {};
      return { ...pair, reference: { chosen: chosen - 1 + i, rejected: rejected + 1 } };
    });
    const settings = { beta: 0.3, sftAlpha: 0.2, dpopLambda: 2 };
    await compare((options) => dpoGradients(llama, lora, examples, settings, options));
  });
});
