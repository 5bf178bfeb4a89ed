import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { dpoLoss, dpoSum } from "./dpo.ts";
import { dpoLossRef, dpoSumRef } from "./dpo.ref.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

const TOLERANCE = 1e-6;
const SETTINGS = {
  ...{ rows: 0, side: 0, first: 0, refChosen: -6.5, refRejected: -9.25 },
  ...{ beta: 0.1, lambda: 0, pairShare: 0.25, tokenShare: 0.2 / 60 },
};

test.each([
  { rows: 5, side: 0, first: 1 },
  { rows: 150, side: 1, first: 0 },
])("sum over $rows rows, side $side, is its twin's and leaves the other side alone", async (place) => {
  const sums = Float32Array.of(-3, -4, 8, 9);
  const arrays = { stats: new TestRandom(place.rows).normal(place.rows * 4), sums };
  const written = await expectTwin(
    queue,
    dpoSum,
    dpoSumRef,
    arrays,
    { ...SETTINGS, ...place },
    { tolerance: TOLERANCE },
  );
  expect(written.get("sums")?.[1 - place.side]).toBe(sums[1 - place.side]);
});

describe.each([0, 5])("loss with lambda %d", (lambda) => {
  const params = { ...SETTINGS, lambda };

  // Chosen above its reference and below it; margins on both sides and far out.
  test.each([
    [-6, -9],
    [-8, -9.5],
    [-2, -400],
    [-900, -3],
  ])("log-probabilities %d and %d", async (chosen, rejected) => {
    const arrays = { pair: Float32Array.of(chosen, rejected, NaN, NaN), totals: new TestRandom(1).normal(7) };
    const written = await expectTwin(queue, dpoLoss, dpoLossRef, arrays, params, { tolerance: TOLERANCE });
    expect([...(written.get("totals") ?? [NaN])].every(Number.isFinite)).toBe(true);
  });

  test.each([
    [-6, -9],
    [-8, -9.5],
  ])("the twin's factors are the loss's derivatives by −log π, at %d and %d", (chosen, rejected) => {
    const nll = Float64Array.of(-chosen, -rejected);
    const pair = new Float64Array(4);
    const forward = () => {
      const totals = new Float64Array(7);
      pair.set(nll.map((value) => -value));
      dpoLossRef({ pair, totals }, params, {});
      return Float64Array.of(params.pairShare * (totals[0] ?? NaN) + params.tokenShare * (totals[1] ?? NaN));
    };
    const cotangent = new TestRandom(2).normal64(1);
    forward();
    const gradient = pair.slice(2).map((factor) => factor * (cotangent[0] ?? NaN));
    expectGradient("dpo", forward, nll, cotangent, gradient);
  });
});

test("equal log-probabilities and references: log 2, no reward, and not counted as right", async () => {
  const pair = Float32Array.of(SETTINGS.refChosen, SETTINGS.refRejected, NaN, NaN);
  const totals = (await runKernel(queue, dpoLoss, { pair, totals: garbage(7).fill(0) }, SETTINGS)).get("totals");
  expect(totals?.[0]).toBeCloseTo(Math.log(2), 6);
  expect([...(totals?.subarray(2, 5) ?? [])]).toEqual([0, 0, 0]);
});
