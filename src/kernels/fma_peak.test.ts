import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import { FMA_STEPS_UNROLLED, fmaPeak } from "./fma_peak.ts";
import { fmaPeakRef } from "./fma_peak.ref.ts";
import { garbage } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** A step halves the error of all before it, so that two units in the last place of x remain, and CHAINS of them. */
const TOLERANCE = 1e-6;

test.each([1, 2, 3, 4, 8])("%i chains are their twin's, over garbage", async (CHAINS) => {
  for (const [count, steps] of [
    [1, FMA_STEPS_UNROLLED],
    [67, 2 * FMA_STEPS_UNROLLED],
  ] as const) {
    const options = { tolerance: TOLERANCE, constants: { CHAINS }, shapes: { sums: [count, 4] } };
    await expectTwin(queue, fmaPeak, fmaPeakRef, { sums: garbage(4 * count) }, { count, steps, c: 0.7 }, options);
  }
});

test("no step is left out: after a few, chains still show where they began", () => {
  const after = (steps: number) => {
    const sums = new Float64Array(4);
    fmaPeakRef({ sums }, { count: 1, steps, c: 0.7 }, { CHAINS: 1 });
    return sums[3] ?? NaN;
  };
  expect(after(FMA_STEPS_UNROLLED)).toBeCloseTo(1.4 + 1.6 * 2 ** -FMA_STEPS_UNROLLED, 12);
});
