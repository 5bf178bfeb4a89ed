import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { attentionBackwardKv, attentionBackwardQ, attentionForward, sharedLoads } from "./attention.ts";
import { attentionBackwardKvRef, attentionBackwardQRef, attentionForwardRef } from "./attention.ref.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/**
 * Scores are sums of up to 128 products, themselves up to 16 after scaling and good to about 2e-6; exp turns that into a
 * relative error of the weights, dS is a difference of two numbers of the same size, and a key adds up some 200 of them.
 */
const TOLERANCE = 3e-5;
const NONE = 0xffffffff;

interface Layout {
  readonly rows: number;
  readonly segments: Uint32Array<ArrayBuffer>;
}

/** A forest whose nodes, [rows, index of the node above], lie depth first (as src/model/rowTree.ts has them). */
function forest(...nodes: readonly (readonly [number, number | null])[]): Layout {
  const firstOf = (node: number) => nodes.slice(0, node).reduce((sum, [count]) => sum + count, 0);
  const rows = firstOf(nodes.length);
  const isUnder = (node: number, above: number): boolean => {
    const parent = nodes[node]?.[1] ?? null;
    return node === above || (parent !== null && isUnder(parent, above));
  };
  const entry = (node: number, count: number): number[] => {
    const parent = nodes[node]?.[1] ?? null;
    const users = Math.max(...nodes.map(([below], i) => (isUnder(i, node) ? firstOf(i) + below : 0)));
    return [firstOf(node), firstOf(node) + count, parent === null ? NONE : rows + parent, users];
  };
  const ofRows = nodes.flatMap(([count], node) => Array.from({ length: count }, (_, i) => entry(node, i + 1)));
  const ofNodes = nodes.map(([count], node) => entry(node, count));
  return { rows, segments: Uint32Array.from([...ofRows, ...ofNodes].flat()) };
}

/** A sequence of 3 rows, then two answers of 6 and 2 rows to one prompt of 5. */
const forked = forest([3, null], [5, null], [6, 1], [2, 1]);
/** Several roots, nodes of one row, four levels; tiles of any size cross the nodes' borders. */
const deep = forest(
  ...([
    [9, null],
    [1, 0],
    [13, 1],
    [2, 2],
    [1, 1],
    [34, 0],
    [1, null],
    [1, 6],
    [5, 7],
    [1, 6],
  ] as const),
);

// A head size fixed when compiling, and the parameter; groups of one, two, three and four heads, alone and together.
describe.each([
  {
    D: 16,
    fixed: true,
    shared: false,
    heads: 6,
    kvHeads: 2,
    rowsAre: "three sequences",
    layout: forest([5, null], [1, null], [7, null]),
  },
  { D: 64, fixed: false, shared: true, heads: 2, kvHeads: 2, rowsAre: "a long sequence", layout: forest([83, null]) },
  {
    D: 128,
    fixed: false,
    shared: false,
    heads: 3,
    kvHeads: 1,
    rowsAre: "two sequences",
    layout: forest([4, null], [5, null]),
  },
  {
    D: 64,
    fixed: false,
    shared: true,
    heads: 4,
    kvHeads: 2,
    rowsAre: "a sequence and two answers to one prompt",
    layout: forked,
  },
  { D: 20, fixed: false, shared: true, heads: 4, kvHeads: 1, rowsAre: "a deep forest", layout: deep },
  { D: 128, fixed: false, shared: true, heads: 3, kvHeads: 1, rowsAre: "a deep forest", layout: deep },
])(
  "attention, head size $D, fixed $fixed, shared loads $shared, $heads heads over $kvHeads, $rowsAre",
  ({ D, fixed, shared, heads, kvHeads, layout }) => {
    const constants = { ...(fixed ? { D } : {}), ...(shared ? sharedLoads(heads, kvHeads) : {}) };

    test("forward and both backward passes are their twins'", async () => {
      const random = new TestRandom(D);
      const { rows, segments } = layout;
      const params = { first: 0, rows, heads, kvHeads, D, scale: 1 / Math.sqrt(D) };
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
      const backwardKv = { ...inputs, d_o, stats_saved, dk: garbage(narrow), dv: garbage(narrow) };
      await expectTwin(queue, attentionBackwardKv, attentionBackwardKvRef, backwardKv, params, {
        ...options,
        shapes: { dk: [rows, kvHeads, D], dv: [rows, kvHeads, D] },
      });
    });

    // A dispatch of some rows leaves the others as they are.
    test("rows in two pieces are the same", async () => {
      const random = new TestRandom(D + 2);
      const { rows, segments } = layout;
      const [wide, narrow] = [rows * heads * D, rows * kvHeads * D];
      const inputs = { q: random.normal(wide), k: random.normal(narrow), v: random.normal(narrow), segments };
      const middle = Math.floor(rows / 2) - 1;
      const options = { tolerance: TOLERANCE, constants };
      const sizes = { heads, kvHeads, D, scale: 1 / Math.sqrt(D) };
      const d_o = random.normal(wide);
      const stats = random.normal(rows * heads * 2);
      for (const [first, count] of [
        [0, middle],
        [middle, rows - middle],
      ] as const) {
        const params = { ...sizes, first, rows: count };
        const forward = { ...inputs, o: garbage(wide), stats: garbage(rows * heads * 2) };
        await expectTwin(queue, attentionForward, attentionForwardRef, forward, params, options);
        const ofQ = { ...inputs, d_o, stats, o_saved: random.normal(wide), dq: garbage(wide) };
        await expectTwin(queue, attentionBackwardQ, attentionBackwardQRef, ofQ, params, options);
        const ofKv = { ...inputs, d_o, stats_saved: stats, dk: garbage(narrow), dv: garbage(narrow) };
        await expectTwin(queue, attentionBackwardKv, attentionBackwardKvRef, ofKv, params, options);
      }
    });

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
