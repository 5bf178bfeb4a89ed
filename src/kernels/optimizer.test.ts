import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { expectTwin } from "./expectTwin.ts";
import { adamUpdate, clipByGlobalNorm, SQUARES_PER_GROUP, squareSums } from "./optimizer.ts";
import { adamUpdateRef, clipByGlobalNormRef, squareSumsRef } from "./optimizer.ref.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Sums of squares have no cancellation; each lane adds 64 terms one after another: at most 64·2⁻²⁴ = 4e-6. */
const TOLERANCE = 4e-6;

const SETTINGS = {
  groups: 0,
  gradScale: 1 / 150,
  maxNorm: 1,
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0.01,
  correction1: 1 - 0.9 ** 3,
  correction2: 1 - 0.999 ** 3,
  first: 0,
};

test("square sums of two tensors, side by side in the partials", async () => {
  const random = new TestRandom(1);
  let partials = garbage(5);
  for (const { count, first } of [
    { count: 2 * SQUARES_PER_GROUP + 100, first: 0 },
    { count: SQUARES_PER_GROUP, first: 3 },
  ]) {
    const written = await expectTwin(
      queue,
      squareSums,
      squareSumsRef,
      { g: random.normal(count), partials },
      { ...SETTINGS, count, first },
      { tolerance: TOLERANCE },
    );
    partials = new Float32Array(written.get("partials") ?? []);
  }
  expect([...partials].map(Number.isNaN)).toEqual([false, false, false, false, true]);
});

test.each([
  { case: "clipped", size: 1e6, maxNorm: 1 },
  { case: "below the bound", size: 1, maxNorm: 1 },
  { case: "no bound", size: 1e6, maxNorm: 0 },
])("clip: $case", async ({ size, maxNorm }) => {
  const groups = 150;
  const sums = new TestRandom(2).normal(groups, size).map(Math.abs);
  const arrays = { sums, state: garbage(4) };
  const params = { ...SETTINGS, count: 0, groups, maxNorm };
  const written = await expectTwin(queue, clipByGlobalNorm, clipByGlobalNormRef, arrays, params, {
    tolerance: TOLERANCE,
  });
  const [norm = NaN, factor = NaN, finite] = written.get("state") ?? [];
  expect(finite).toBe(1);
  const clipped = (norm / SETTINGS.gradScale) * factor;
  expect(clipped / (maxNorm > 0 ? Math.min(norm, maxNorm) : norm)).toBeCloseTo(1, 5);
});

// The update runs in strides of 4096 workgroups; the second count goes past the first stride.
test.each([100, 4096 * 64 + 100])("update is its twin's on %i weights", async (count) => {
  const random = new TestRandom(3);
  const arrays = {
    g: random.normal(count),
    decided: Float32Array.of(0.7, 0.02, 1, 0),
    m: random.normal(count, 0.01),
    v: random.normal(count, 0.01).map((value) => value * value),
    weights: random.normal(count),
  };
  await expectTwin(queue, adamUpdate, adamUpdateRef, arrays, { ...SETTINGS, count }, { tolerance: TOLERANCE });
});

test("Adam's first step moves every weight by the learning rate against its gradient's sign", () => {
  const g = Float64Array.of(3, -0.001, 40);
  const arrays = {
    g,
    decided: Float64Array.of(0, 1, 1, 0),
    m: g.map(() => 0),
    v: g.map(() => 0),
    weights: g.map(() => 0),
  };
  const first = { correction1: 1 - SETTINGS.beta1, correction2: 1 - SETTINGS.beta2, weightDecay: 0 };
  adamUpdateRef(arrays, { ...SETTINGS, ...first, count: 3 }, {});
  [-1, 1, -1].forEach((sign, i) => expect(arrays.weights[i]).toBeCloseTo(sign * SETTINGS.learningRate, 7));
});

// The last is finite, its square is not.
test.each([NaN, Infinity, -Infinity, 1e20])("a gradient with %s in it changes nothing", async (bad) => {
  const random = new TestRandom(4);
  const count = 300;
  const g = random.normal(count);
  g.fill(bad, 123, 129);
  const params = { ...SETTINGS, count, groups: 1 };
  const sums = (await runKernel(queue, squareSums, { g, partials: garbage(1) }, params)).get("partials") ?? garbage(1);
  const state = (await runKernel(queue, clipByGlobalNorm, { sums, state: garbage(4) }, params)).get("state");
  expect(state?.[2]).toBe(0);
  const before = { m: random.normal(count), v: random.normal(count).map(Math.abs), weights: random.normal(count) };
  const arrays = { g, decided: state ?? garbage(4), ...before };
  const after = await runKernel(queue, adamUpdate, arrays, params);
  expect(Object.fromEntries(after)).toEqual(before);
});
