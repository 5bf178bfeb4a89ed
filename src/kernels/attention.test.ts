import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { attentionBackwardKv, attentionBackwardQ, attentionForward } from "./attention.ts";
import { attentionBackwardKvRef, attentionBackwardQRef, attentionForwardRef } from "./attention.ref.ts";
import { CASES, constantsOf, forest, forked, type Layout, NONE, testRows, TOLERANCE } from "./attentionCases.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

describe.each(CASES)(
  "attention, head size $D, fixed $fixed, shared loads $shared, $heads heads over $kvHeads, $rowsAre",
  (sizes) => {
    const { D, heads, kvHeads } = sizes;
    const constants = constantsOf(sizes);
    testRows(queue, [attentionForward, attentionBackwardQ, attentionBackwardKv], sizes);

    // All keys; two rows of a later beginning; three branches behind one prefix, one of them two rows; and, behind
    // another, a branch of its own.
    test("a few new rows attend to cached keys", async () => {
      const random = new TestRandom(D + 1);
      const [rows, keys] = [9, 60];
      const segments = Uint32Array.from(
        [
          ...[[0, 50, NONE, 1], ...[8, 9].map((end) => [3, end, NONE, 3])],
          ...[[6, 7, 9, 4], ...[13, 14].map((end) => [9, end, 9, 6]), [20, 53, 9, 7]],
          ...[57, 58].map((end) => [56, end, 11, 9]),
          ...[
            [2, 5, 10, 7],
            [0, 2, NONE, 7],
            [41, 55, NONE, 9],
          ],
        ].flat(),
      );
      const narrow = keys * kvHeads * D;
      const arrays = {
        q: random.normal(rows * heads * D, 2),
        k: random.normal(narrow, 2),
        v: random.normal(narrow),
        segments,
        o: garbage(rows * heads * D),
        stats: garbage(rows * heads * 2),
      };
      const params = { first: 0, rows, heads, kvHeads, D, scale: 1 / Math.sqrt(D) };
      const shapes = { o: [rows, heads, D], stats: [rows, heads, 2] };
      const options = { tolerance: TOLERANCE, constants, shapes };
      await expectTwin(queue, attentionForward, attentionForwardRef, arrays, params, options);
    });
  },
);

test("large scores do not overflow", async () => {
  const random = new TestRandom(9);
  const [heads, D] = [1, 16];
  const { rows, segments } = forest([9, null]);
  const arrays = {
    q: random.normal(rows * D, 20),
    k: random.normal(rows * D, 20),
    v: random.normal(rows * D),
    segments,
    o: garbage(rows * D),
    stats: garbage(rows * 2),
  };
  const params = { first: 0, rows, heads, kvHeads: 1, D, scale: 1 };
  // Scores of about 1600 carry absolute errors of 1e-4, which exp makes relative errors of the weights.
  const options = { tolerance: 1e-3 };
  await expectTwin(queue, attentionForward, attentionForwardRef, arrays, params, options);
});

test("a branch sees its prompt and itself: the twin's rows are those of prompt and branch alone", () => {
  const random = new TestRandom(11);
  const [heads, kvHeads, D] = [2, 1, 4];
  const { rows } = forked;
  const [wide, narrow] = [rows * heads * D, rows * kvHeads * D];
  const [q, k, v] = [random.normal64(wide), random.normal64(narrow), random.normal64(narrow)];
  const params = { first: 0, heads, kvHeads, D, scale: 0.5 };
  const run = (picked: readonly number[], { segments }: Layout) => {
    const pick = (x: Float64Array, width: number) =>
      Float64Array.from(picked.flatMap((row) => [...x.subarray(row * width, (row + 1) * width)]));
    const count = picked.length;
    const [o, stats] = [new Float64Array(count * heads * D), new Float64Array(count * heads * 2)];
    const inputs = { q: pick(q, heads * D), k: pick(k, kvHeads * D), v: pick(v, kvHeads * D) };
    attentionForwardRef({ ...inputs, segments, o, stats }, { ...params, rows: count }, {});
    return o;
  };
  const together = run([...Array(rows).keys()], forked);
  const alone = run([3, 4, 5, 6, 7, 14, 15], forest([7, null]));
  const close = (a: Float64Array, b: Float64Array) =>
    a.forEach((value, i) => expect(value).toBeCloseTo(b[i] ?? NaN, 12));
  close(together.subarray(14 * heads * D), alone.subarray(5 * heads * D));
  close(together.subarray(3 * heads * D, 8 * heads * D), alone.subarray(0, 5 * heads * D));
});

test.each([
  ["sequences", forest([3, null], [4, null])],
  ["a shared prompt", forked],
  ["a forest", forest([2, null], [1, 0], [2, 1], [1, 1], [2, 0], [1, null])],
])("the twins' backward passes are the gradients of the forward in q, k and v: %s", (_, { rows, segments }) => {
  const random = new TestRandom(10);
  const [heads, kvHeads, D] = [6, 2, 4];
  const params = { first: 0, rows, heads, kvHeads, D, scale: 0.5 };
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
  attentionBackwardKvRef({ q, k, v, segments, d_o, stats_saved: saved, dk, dv }, params, {});
  expectGradient("attention.forward q", forward, q, d_o, dq);
  expectGradient("attention.forward k", forward, k, d_o, dk);
  expectGradient("attention.forward v", forward, v, d_o, dv);
});
