import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { attentionBackwardKv, attentionBackwardQ, attentionForward } from "./attention.ts";
import { attentionBackwardKvRef, attentionBackwardQRef, attentionForwardRef } from "./attention.ref.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/**
 * Scores are sums of up to 128 products of size about 1 after scaling, good to about 1e-6; exp turns that into a
 * relative error of the weights, and dS is a difference of two numbers of the same size.
 */
const TOLERANCE = 1e-5;

/** Sequences of these lengths side by side: no prefix, first key, one past the last row of each row. */
function segmentsOf(lengths: readonly number[]): Uint32Array<ArrayBuffer> {
  let start = 0;
  const quads = lengths.flatMap((length) => {
    const first = start;
    start += length;
    return Array.from({ length }, () => [0, 0, first, start]).flat();
  });
  return Uint32Array.from(quads);
}

/** A sequence of 3 rows, then two answers of 6 and 2 rows to one prompt of 5. */
const forked = Uint32Array.from(
  [
    ...Array.from({ length: 3 }, () => [0, 0, 0, 3]),
    ...Array.from({ length: 5 }, () => [0, 0, 3, 16]),
    ...Array.from({ length: 6 }, () => [3, 8, 8, 14]),
    ...Array.from({ length: 2 }, () => [3, 8, 14, 16]),
  ].flat(),
);

// A head size fixed when compiling, and two of the parameter's. Rows in one, two and three sequences, more than a workgroup's 8 and fewer;
// groups of one and three heads.
describe.each([
  { D: 16, fixed: true, heads: 6, kvHeads: 2, rowsAre: "three sequences", segments: segmentsOf([5, 1, 7]) },
  { D: 64, fixed: false, heads: 2, kvHeads: 2, rowsAre: "one sequence", segments: segmentsOf([6]) },
  { D: 128, fixed: false, heads: 3, kvHeads: 1, rowsAre: "two sequences", segments: segmentsOf([4, 5]) },
  { D: 16, fixed: false, heads: 4, kvHeads: 2, rowsAre: "a sequence and two answers to one prompt", segments: forked },
])("attention, head size $D, fixed $fixed, $heads heads over $kvHeads, $rowsAre", (shape) => {
  const { D, fixed, heads, kvHeads, segments } = shape;
  const constants = fixed ? { D } : {};

  test("forward and both backward passes are their twins'", async () => {
    const random = new TestRandom(D);
    const rows = segments.length / 4;
    const params = { rows, heads, kvHeads, D, cached: 0, scale: 1 / Math.sqrt(D) };
    const [wide, narrow] = [rows * heads * D, rows * kvHeads * D];
    const inputs = { q: random.normal(wide, 2), k: random.normal(narrow, 2), v: random.normal(narrow), segments };
    const options = { tolerance: TOLERANCE, constants };
    const forward = { ...inputs, o: garbage(wide), stats: garbage(rows * heads * 2) };
    const shapes = { o: [rows, heads, D], stats: [rows, heads, 2] };
    const saved = await expectTwin(queue, attentionForward, attentionForwardRef, forward, params, {
      ...options,
      shapes,
    });
    const [o_saved, stats] = [new Float32Array(saved.get("o") ?? []), new Float32Array(saved.get("stats") ?? [])];
    const d_o = random.normal(wide);
    const backwardQ = { ...inputs, o_saved, stats, d_o, dq: garbage(wide) };
    const withDelta = await expectTwin(queue, attentionBackwardQ, attentionBackwardQRef, backwardQ, params, {
      ...options,
      shapes: { dq: [rows, heads, D], stats: [rows, heads, 2] },
    });
    const stats_saved = new Float32Array(withDelta.get("stats") ?? []);
    const backwardKv = { ...inputs, d_out: d_o, stats_saved, dk: garbage(narrow), dv: garbage(narrow) };
    await expectTwin(queue, attentionBackwardKv, attentionBackwardKvRef, backwardKv, params, {
      ...options,
      shapes: { dk: [rows, kvHeads, D], dv: [rows, kvHeads, D] },
    });
  });

  test("a few new rows attend to cached keys", async () => {
    const random = new TestRandom(D + 1);
    const [rows, keys] = [4, 14];
    // All keys; a later beginning; two branches behind one prefix: steps of four keys end at every remainder.
    const segments = Uint32Array.of(0, 0, 0, 10, 0, 0, 3, 11, 0, 5, 6, 7, 0, 5, 9, 13);
    const narrow = keys * kvHeads * D;
    const arrays = {
      q: random.normal(rows * heads * D, 2),
      k: random.normal(narrow, 2),
      v: random.normal(narrow),
      segments,
      o: garbage(rows * heads * D),
      stats: garbage(rows * heads * 2),
    };
    const params = { rows, heads, kvHeads, D, cached: 1, scale: 1 / Math.sqrt(D) };
    const shapes = { o: [rows, heads, D], stats: [rows, heads, 2] };
    const options = { tolerance: TOLERANCE, constants, shapes };
    await expectTwin(queue, attentionForward, attentionForwardRef, arrays, params, options);
  });
});

test("large scores do not overflow", async () => {
  const random = new TestRandom(9);
  const [rows, heads, D] = [9, 1, 16];
  const arrays = {
    q: random.normal(rows * D, 20),
    k: random.normal(rows * D, 20),
    v: random.normal(rows * D),
    segments: segmentsOf([rows]),
    o: garbage(rows * D),
    stats: garbage(rows * 2),
  };
  const params = { rows, heads, kvHeads: 1, D, cached: 0, scale: 1 };
  // Scores of about 1600 carry absolute errors of 1e-4, which exp makes relative errors of the weights.
  const options = { tolerance: 1e-3 };
  await expectTwin(queue, attentionForward, attentionForwardRef, arrays, params, options);
});

test("a branch sees its prompt and itself: the twin's rows are those of prompt and branch alone", () => {
  const random = new TestRandom(11);
  const [heads, kvHeads, D, rows] = [2, 1, 4, 16];
  const [wide, narrow] = [rows * heads * D, rows * kvHeads * D];
  const [q, k, v] = [random.normal64(wide), random.normal64(narrow), random.normal64(narrow)];
  const params = { heads, kvHeads, D, cached: 0, scale: 0.5 };
  const run = (picked: readonly number[], segments: Uint32Array) => {
    const pick = (x: Float64Array, width: number) =>
      Float64Array.from(picked.flatMap((row) => [...x.subarray(row * width, (row + 1) * width)]));
    const count = picked.length;
    const [o, stats] = [new Float64Array(count * heads * D), new Float64Array(count * heads * 2)];
    const inputs = { q: pick(q, heads * D), k: pick(k, kvHeads * D), v: pick(v, kvHeads * D) };
    attentionForwardRef({ ...inputs, segments, o, stats }, { ...params, rows: count }, {});
    return o;
  };
  const together = run([...Array(rows).keys()], forked);
  const alone = run([3, 4, 5, 6, 7, 14, 15], segmentsOf([7]));
  const close = (a: Float64Array, b: Float64Array) =>
    a.forEach((value, i) => expect(value).toBeCloseTo(b[i] ?? NaN, 12));
  close(together.subarray(14 * heads * D), alone.subarray(5 * heads * D));
  close(together.subarray(3 * heads * D, 8 * heads * D), alone.subarray(0, 5 * heads * D));
});

test.each([
  ["sequences", segmentsOf([3, 4])],
  ["a shared prompt", forked],
])("the twins' backward passes are the gradients of the forward in q, k and v: %s", (_, segments) => {
  const random = new TestRandom(10);
  const [heads, kvHeads, D] = [6, 2, 4];
  const rows = segments.length / 4;
  const params = { rows, heads, kvHeads, D, cached: 0, scale: 0.5 };
  const [wide, narrow] = [rows * heads * D, rows * kvHeads * D];
  const [q, k, v, d_o] = [wide, narrow, narrow, wide].map((count) => random.normal64(count)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const [o, stats] = [new Float64Array(wide), new Float64Array(rows * heads * 2)];
  const forward = () => {
    attentionForwardRef({ q, k, v, segments, o, stats }, params, {});
    return o;
  };
  forward();
  const [dq, dk, dv] = [new Float64Array(wide), new Float64Array(narrow), new Float64Array(narrow)];
  const saved = stats.slice();
  attentionBackwardQRef({ q, k, v, segments, o_saved: o.slice(), stats: saved, d_o, dq }, params, {});
  attentionBackwardKvRef({ q, k, v, segments, d_out: d_o, stats_saved: saved, dk, dv }, params, {});
  expectGradient("attention.forward q", forward, q, d_o, dq);
  expectGradient("attention.forward k", forward, k, d_o, dk);
  expectGradient("attention.forward v", forward, v, d_o, dv);
});
