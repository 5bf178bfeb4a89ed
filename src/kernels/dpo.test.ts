import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { dpoFactors, dpoLoss, dpoSum } from "./dpo.ts";
import { dpoFactorsRef, dpoLossRef, dpoSumRef } from "./dpo.ref.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Sums of up to 150 values. */
const TOLERANCE = 1e-6;
const SETTINGS = { count: 0, beta: 0.1, lambda: 0, pairShare: 0.25, tokenShare: 0.2 / 60 };
const REFERENCE = [-6.5, -9.25] as const;

function lists(picked: readonly (readonly number[])[]) {
  const starts = [0];
  picked.forEach((list) => starts.push((starts.at(-1) ?? 0) + list.length));
  return { starts: Uint32Array.from(starts), members: Uint32Array.from(picked.flat()) };
}

/** Targets of four answers: some share their beginning, one has more than a workgroup has lanes. */
const ANSWERS = [[0, 1, 2], [0, 1, 3, 4], Array.from({ length: 150 }, (_, i) => 5 + i), [160]];
const TARGETS = 161;

test("the sums over the targets of each answer are their twin's", async () => {
  const arrays = { ...lists(ANSWERS), stats: new TestRandom(1).normal(4 * TARGETS), logps: garbage(ANSWERS.length) };
  const params = { ...SETTINGS, count: ANSWERS.length };
  await expectTwin(queue, dpoSum, dpoSumRef, arrays, params, { tolerance: TOLERANCE });
});

test("a target's factor is the sum over the answers it is in, none where it is in none", async () => {
  const inverse = Array.from({ length: TARGETS }, (_, i) => ANSWERS.flatMap((all, a) => (all.includes(i) ? [a] : [])));
  const arrays = {
    ...lists(inverse),
    slope_of: new TestRandom(2).normal(ANSWERS.length),
    factors_of: garbage(TARGETS),
  };
  const params = { ...SETTINGS, count: TARGETS };
  const written = await expectTwin(queue, dpoFactors, dpoFactorsRef, arrays, params, { tolerance: TOLERANCE });
  expect(written.get("factors_of")?.[155]).toBe(0);
});

describe.each([0, 5])("loss with lambda %d", (lambda) => {
  const params = { ...SETTINGS, lambda };

  // Chosen above its reference and below it; margins on both sides and far out.
  const policies = [
    [-6, -9],
    [-8, -9.5],
    [-2, -400],
    [-900, -3],
  ] as const;

  test.each(policies)("log-probabilities %d and %d", async (chosen, rejected) => {
    const totals = new TestRandom(1).normal(7);
    const pair = { policy: Float32Array.of(chosen, rejected), references: Float32Array.of(...REFERENCE) };
    const arrays = { ...pair, slopes: garbage(2), totals };
    const one = { ...params, count: 1 };
    const written = await expectTwin(queue, dpoLoss, dpoLossRef, arrays, one, { tolerance: TOLERANCE });
    expect([...(written.get("totals") ?? [NaN])].every(Number.isFinite)).toBe(true);
  });

  test("more pairs than a workgroup has lanes, each with its own margin", async () => {
    const count = 150;
    const random = new TestRandom(4);
    const pairs = { policy: random.normal(2 * count, 3), references: random.normal(2 * count, 3) };
    const arrays = { ...pairs, slopes: garbage(2 * count), totals: random.normal(7) };
    await expectTwin(queue, dpoLoss, dpoLossRef, arrays, { ...params, count }, { tolerance: TOLERANCE });
  });

  test("the twins' factors are the derivatives of the pairs' losses by the targets' −log-probabilities", () => {
    const random = new TestRandom(2);
    const [answers, targets] = [ANSWERS.slice(0, 2).concat([[5], [6, 7]]), 8];
    const inverse = Array.from({ length: targets }, (_, i) =>
      answers.flatMap((all, a) => (all.includes(i) ? [a] : [])),
    );
    const references = random.normal64(4, 4);
    const nll = random.normal64(targets, 2).map(Math.abs);
    const [logps, slopes] = [new Float64Array(4), new Float64Array(4)];
    const two = { ...params, count: 2 };
    const forward = () => {
      const totals = new Float64Array(7);
      const stats = Float64Array.from({ length: 4 * targets }, (_, i) => (i % 4 === 3 ? (nll[i >> 2] ?? NaN) : 0));
      dpoSumRef({ ...lists(answers), stats, logps }, { ...params, count: 4 }, {});
      dpoLossRef({ policy: logps, references, slopes, totals }, two, {});
      return Float64Array.of(params.pairShare * (totals[0] ?? NaN) + params.tokenShare * (totals[1] ?? NaN));
    };
    const cotangent = random.normal64(1);
    forward();
    const factors = new Float64Array(targets);
    dpoFactorsRef({ ...lists(inverse), slope_of: slopes, factors_of: factors }, { ...params, count: targets }, {});
    const gradient = factors.map((factor) => factor * (cotangent[0] ?? NaN));
    expectGradient("dpo", forward, nll, cotangent, gradient);
  });
});

test("equal log-probabilities and references: log 2, no reward, and not counted as right", async () => {
  const pair = { policy: Float32Array.of(...REFERENCE), references: Float32Array.of(...REFERENCE) };
  const arrays = { ...pair, slopes: garbage(2), totals: garbage(7).fill(0) };
  const totals = (await runKernel(queue, dpoLoss, arrays, { ...SETTINGS, count: 1 })).get("totals");
  expect(totals?.[0]).toBeCloseTo(Math.log(2), 6);
  expect([...(totals?.subarray(2, 5) ?? [])]).toEqual([0, 0, 0]);
});
