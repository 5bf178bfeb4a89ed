import { expect, test } from "vitest";
import { expectClose } from "../gpu/expectClose.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { affinityAt } from "./bf16.ref.ts";
import { expectTwin } from "./expectTwin.ts";
import { garbage, TestRandom } from "./testRandom.ts";
import { tsneCalibrate, tsneDistances, tsneJoin } from "./tsne_affinities.ts";
import { tsneCalibrateRef, tsneDistancesRef, tsneJoinRef } from "./tsne_affinities.ref.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** The entropy is met to 1e-5, from which affinities differ by some multiple. */
const CALIBRATED = 2e-4;

/** Symmetric distances of n random points, garbage in the padding as `distances` leaves it. */
function randomDistances(n: number, S: number, scale: number): Float32Array<ArrayBuffer> {
  const x = new TestRandom(n).normal(n * 3, scale);
  const m = garbage(S * S).fill(7);
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      m[j * S + i] = [0, 1, 2].reduce((sum, k) => sum + ((x[3 * i + k] ?? 0) - (x[3 * j + k] ?? 0)) ** 2, 0);
    }
  }
  return m;
}

test.each([
  { S: 8, d: 5 },
  { S: 300, d: 33 },
])("distances are their twin's, $S vectors of $d", async ({ S, d }) => {
  const x = new TestRandom(S).normal(S * d, 2);
  const params = { n: S, S, d, entropy: 0 };
  const all = { ...params, first: 0, count: S / 4 };
  const shapes = { m: [S, S] };
  await expectTwin(queue, tsneDistances, tsneDistancesRef, { x, m: garbage(S * S) }, all, { tolerance: 1e-6, shapes });
  const slice = { ...params, first: 1, count: 1 };
  await expectTwin(queue, tsneDistances, tsneDistancesRef, { x, m: garbage(S * S) }, slice, {
    tolerance: 1e-6,
    shapes,
  });
});

test.each([
  { n: 6, perplexity: 2, scale: 1, first: 0 },
  { n: 131, perplexity: 30, scale: 1, first: 0 },
  { n: 131, perplexity: 5, scale: 1e-4, first: 64 },
  { n: 131, perplexity: 50, scale: 1e5, first: 3 },
])("calibration is its twin's: $n points, perplexity $perplexity, scale $scale", async (given) => {
  const { n, perplexity, scale, first } = given;
  const S = Math.ceil(n / 4) * 4;
  const matrix = randomDistances(n, S, scale);
  const params = { n, S, d: 0, first, count: S - first, entropy: Math.log(perplexity) };
  const written = await expectTwin(queue, tsneCalibrate, tsneCalibrateRef, { matrix }, params, {
    tolerance: CALIBRATED,
    shapes: { matrix: [S, S] },
  });
  const all = written.get("matrix") ?? garbage(0);
  const column = Array.from({ length: S }, (_, j) => all[j * S + n - 1] ?? NaN);
  const entropy = column.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
  expect(Math.exp(entropy)).toBeCloseTo(perplexity, 2);
});

test("identical points: no entropy but one can be met, and the affinities are uniform", async () => {
  const [n, S] = [10, 12];
  const params = { n, S, d: 0, first: 0, count: S, entropy: Math.log(3) };
  const written = await runKernel(queue, tsneCalibrate, { matrix: new Float32Array(S * S) }, params);
  const all = written.get("matrix") ?? garbage(0);
  for (let j = 0; j < S; j++) {
    for (let i = 0; i < S; i++) {
      expect(all[j * S + i]).toBeCloseTo(i === j || i >= n || j >= n ? 0 : 1 / 9, 6);
    }
  }
});

test("joint affinities are their twin's, symmetric and of sum 1 to what bf16 holds", async () => {
  const [n, S] = [131, 132];
  const conditional = randomDistances(n, S, 1);
  const params = { n, S, d: 0, first: 0, count: S, entropy: Math.log(20) };
  const calibrated = Float64Array.from(conditional);
  tsneCalibrateRef({ matrix: calibrated }, params, {});
  const arrays = { conditional: Float32Array.from(calibrated), words: garbage((S * S) / 2) };
  const joining = { ...params, count: S / 2 };
  const written = (await runKernel(queue, tsneJoin, arrays, joining)).get("words") ?? garbage(0);
  const expected = new Uint32Array((S * S) / 2);
  tsneJoinRef({ conditional: Float64Array.from(arrays.conditional), words: expected }, joining, {});
  const words = new Uint32Array(written.buffer, written.byteOffset, written.length);
  const decoded = (from: Uint32Array) =>
    Array.from({ length: S * S }, (_, index) => affinityAt(from, S, Math.floor(index / S), index % S));
  const joint = decoded(words);
  // A sum that rounds to the other side of a tie differs by one bf16 step.
  expectClose(joint, decoded(expected), { label: "tsne_affinities.join", shape: [S, S], tolerance: 2 ** -8 });
  expect(joint.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 3);
  joint.forEach((p, index) => {
    expect(p).toBe(joint[(index % S) * S + Math.floor(index / S)]);
  });
});
