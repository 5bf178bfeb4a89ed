/** What the tests of both attention families have in common: forests of rows, and that kernels are their twins'. */
import { test } from "vitest";
import type { CommandQueue } from "../gpu/queue.ts";
import { attentionBackwardKvRef, attentionBackwardQRef, attentionForwardRef } from "./attention.ref.ts";
import { type attentionBackwardKv, type attentionBackwardQ, type attentionForward, sharedLoads } from "./attention.ts";
import { expectTwin } from "./expectTwin.ts";
import { garbage, TestRandom } from "./testRandom.ts";

/**
 * Scores are sums of up to 128 products, themselves up to 16 after scaling and good to about 2e-6; exp turns that into a
 * relative error of the weights, dS is a difference of two numbers of the same size, and a key adds up some 200 of them.
 */
export const TOLERANCE = 3e-5;
export const NONE = 0xffffffff;

export interface Layout {
  readonly rows: number;
  readonly segments: Uint32Array<ArrayBuffer>;
}

/** A forest whose nodes, [rows, index of the node above], lie depth first (as src/model/rowTree.ts has them). */
export function forest(...nodes: readonly (readonly [number, number | null])[]): Layout {
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
export const forked = forest([3, null], [5, null], [6, 1], [2, 1]);
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
export const CASES = [
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
] as const;

export type Case = (typeof CASES)[number];

export function constantsOf({ D, fixed, shared, heads, kvHeads }: Case): Record<string, number> {
  return { ...(fixed ? { D } : {}), ...(shared ? sharedLoads(heads, kvHeads) : {}) };
}

/** The tests of a case. */
export function testRows(
  queue: CommandQueue,
  [forwardKernel, backwardQKernel, backwardKvKernel]: readonly [
    typeof attentionForward,
    typeof attentionBackwardQ,
    typeof attentionBackwardKv,
  ],
  sizes: Case,
): void {
  const { D, heads, kvHeads, layout } = sizes;
  const constants = constantsOf(sizes);

  test("forward and both backward passes are their twins'", async () => {
    const random = new TestRandom(D);
    const { rows, segments } = layout;
    const params = { first: 0, rows, heads, kvHeads, D, scale: 1 / Math.sqrt(D) };
    const [wide, narrow] = [rows * heads * D, rows * kvHeads * D];
    const inputs = { q: random.normal(wide, 2), k: random.normal(narrow, 2), v: random.normal(narrow), segments };
    const options = { tolerance: TOLERANCE, constants };
    const forward = { ...inputs, o: garbage(wide), stats: garbage(rows * heads * 2) };
    const shapes = { o: [rows, heads, D], stats: [rows, heads, 2] };
    const saved = await expectTwin(queue, forwardKernel, attentionForwardRef, forward, params, {
      ...options,
      shapes,
    });
    const [o_saved, stats] = [new Float32Array(saved.get("o") ?? []), new Float32Array(saved.get("stats") ?? [])];
    const d_o = random.normal(wide);
    const backwardQ = { ...inputs, o_saved, stats, d_o, dq: garbage(wide) };
    const withDelta = await expectTwin(queue, backwardQKernel, attentionBackwardQRef, backwardQ, params, {
      ...options,
      shapes: { dq: [rows, heads, D], stats: [rows, heads, 2] },
    });
    const stats_saved = new Float32Array(withDelta.get("stats") ?? []);
    const backwardKv = { ...inputs, d_o, stats_saved, dk: garbage(narrow), dv: garbage(narrow) };
    await expectTwin(queue, backwardKvKernel, attentionBackwardKvRef, backwardKv, params, {
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
      await expectTwin(queue, forwardKernel, attentionForwardRef, forward, params, options);
      const ofQ = { ...inputs, d_o, stats, o_saved: random.normal(wide), dq: garbage(wide) };
      await expectTwin(queue, backwardQKernel, attentionBackwardQRef, ofQ, params, options);
      const ofKv = { ...inputs, d_o, stats_saved: stats, dk: garbage(narrow), dv: garbage(narrow) };
      await expectTwin(queue, backwardKvKernel, attentionBackwardKvRef, ofKv, params, options);
    }
  });
}
