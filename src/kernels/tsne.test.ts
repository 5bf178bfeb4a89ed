import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { garbage, TestRandom } from "./testRandom.ts";
import { normalGroups, tsneDivergence, tsneForces, tsneUpdate } from "./tsne.ts";
import { tsneDivergenceRef, tsneForcesRef, tsneUpdateRef } from "./tsne.ref.ts";
import { tsneJoinRef } from "./tsne_affinities.ref.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Sums of some hundred products, where forces of both signs cancel. */
const TOLERANCE = 1e-5;

/** Joint affinities of n points as words, from random conditional ones. */
function randomAffinities(n: number, random: TestRandom): { S: number; affinities: Uint32Array<ArrayBuffer> } {
  const S = Math.ceil(n / 4) * 4;
  const conditional = new Float64Array(S * S);
  for (let i = 0; i < n; i++) {
    const column = Array.from({ length: n }, (_, j) => (i === j ? 0 : Math.exp(-random.uniform(0, 12))));
    const total = column.reduce((sum, value) => sum + value, 0);
    column.forEach((value, j) => (conditional[j * S + i] = value / total));
  }
  const affinities = new Uint32Array((S * S) / 2);
  const whole = { n, S, d: 0, first: 0, count: S / 2, entropy: 0 };
  tsneJoinRef({ conditional, words: affinities }, whole, {});
  return { S, affinities };
}

/** n random points, and the padding's as the fit places them. */
function randomPoints(n: number, S: number, random: TestRandom): Float32Array<ArrayBuffer> {
  const points = random.normal(2 * S, 3);
  for (let i = n; i < S; i++) {
    points.fill(1e15 * (1 + i - n), 2 * i, 2 * i + 2);
  }
  return points;
}

// Less than a workgroup with padding; several workgroups, in one split and in three, the last of them shorter.
test.each([
  { n: 7, splits: 1 },
  { n: 301, splits: 1 },
  { n: 301, splits: 3 },
])("forces, update and divergence are their twins', $n points in $splits splits", async ({ n, splits }) => {
  const random = new TestRandom(n + splits);
  const { S, affinities } = randomAffinities(n, random);
  const positions = randomPoints(n, S, random);
  const length = Math.ceil(S / splits / 4) * 4;
  const groups = normalGroups(S, splits, tsneForces.constants["WG"] ?? NaN);
  const params = { n, S, splits, length, groups, exaggeration: 12, momentum: 0.5, rate: 50 };
  const sums = garbage(splits * S * 4);
  const pairs = { affinities, positions, sums, normals: garbage(groups) };
  const written = await expectTwin(queue, tsneForces, tsneForcesRef, pairs, params, {
    tolerance: TOLERANCE,
    shapes: { sums: [splits, S, 4] },
  });
  const motion = random.normal(4 * S).map((value, i) => (i % 4 < 2 ? value : 1 + Math.abs(value)));
  const moved = {
    summed: written.get("sums") ?? sums,
    normalizers: written.get("normals") ?? garbage(groups),
    points: positions,
    motion,
  };
  await expectTwin(queue, tsneUpdate, tsneUpdateRef, moved, params, {
    tolerance: TOLERANCE,
    shapes: { points: [S, 2], motion: [S, 4] },
  });
  const looked = { affinities, positions, parts: garbage((splits * S) / 2) };
  await expectTwin(queue, tsneDivergence, tsneDivergenceRef, looked, params, {
    tolerance: TOLERANCE,
    shapes: { parts: [splits, S / 4, 2] },
  });
});

test("the twins' step goes down the gradient of the divergence", () => {
  const n = 6;
  const random = new TestRandom(3);
  const { S, affinities } = randomAffinities(n, random);
  const params = { n, S, splits: 1, length: S, groups: 1, exaggeration: 1, momentum: 0, rate: 1 };
  const positions = Float64Array.from(randomPoints(n, S, random));
  const free = positions.slice(0, 2 * n);
  const cost = () => {
    const parts = new Float64Array(S / 2);
    positions.set(free);
    tsneDivergenceRef({ affinities, positions, parts }, params, {});
    const of = (side: number) => parts.filter((_, i) => i % 2 === side).reduce((sum, part) => sum + part, 0);
    return Float64Array.of(of(0) + Math.log(of(1)));
  };
  const [summed, normalizers] = [new Float64Array(4 * S), new Float64Array(1)];
  tsneForcesRef({ affinities, positions, sums: summed, normals: normalizers }, params, { WG: 64 });
  // Without a step before, gains of 1.25 shrink to 1: the new step is the gradient, downwards.
  const motion = new Float64Array(4 * S).map((_, i) => (i % 4 < 2 ? 0 : 1.25));
  const y = positions.slice();
  tsneUpdateRef({ summed, normalizers, points: y, motion }, params, {});
  const gradient = free.map((_, i) => -(motion[4 * (i >> 1) + (i % 2)] ?? NaN));
  expectGradient("t-SNE divergence", cost, free, Float64Array.of(1), gradient);
  expect(y[0]).toBeCloseTo((free[0] ?? NaN) - (gradient[0] ?? NaN), 12);
});
