import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { contrastiveLoss, contrastivePool, contrastiveScatter, contrastiveSum } from "./contrastive.ts";
import { contrastiveLossRef, contrastivePoolRef, contrastiveScatterRef, contrastiveSumRef } from "./contrastive.ref.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Gradients are differences of two unit vectors' elements, which may nearly cancel. */
const TOLERANCE = 1e-5;
const NONE = { D: 0, heads: 0, first: 0, rows: 0, weight: 0 };

/**
 * Rows of the types of two prompts that share their instruction; of two entities of the first, which share a neighbour
 * (row 6), and the neighbours' own; of an entity and a neighbour of the second, in another sentence.
 */
const LISTS = [[1, 2], [1, 2], [4, 5], [7], [3], [6], [6], [8], [10, 11, 12], [9]];
const SIGNS = Float32Array.of(0, 0, 1, 1, -1, -1, -1, -1, 1, -1);
const PROMPTS = 2;
const RANGES = Uint32Array.of(2, 8, 10);
const T = 13;
const V = LISTS.length;
const COUNTS = Float32Array.from(LISTS, ({ length }) => length);

function lists(picked: readonly (readonly number[])[]) {
  const starts = [0];
  picked.forEach((list) => starts.push((starts.at(-1) ?? 0) + list.length));
  return { starts: Uint32Array.from(starts), members: Uint32Array.from(picked.flat()) };
}

/** The key rows and their vectors. */
function touchedBy(first: number, end: number) {
  const rows = [...new Set(LISTS.slice(first, end).flat())];
  const vectors = rows.map((row) =>
    LISTS.flatMap((list, v) => (v >= first && v < end && list.includes(row) ? [v] : [])),
  );
  return { touched: Uint32Array.from(rows), ...lists(vectors) };
}

test.each([
  { D: 70, heads: 3 },
  { D: 16, heads: 1 },
])("pool, loss and scatter are their twins', D $D, $heads heads", async ({ D, heads }) => {
  const random = new TestRandom(D);
  const x = random.normal(T * heads * D, 2);
  const keys = { ...NONE, D, heads, first: PROMPTS, rows: V - PROMPTS };
  await expectTwin(
    queue,
    contrastivePool,
    contrastivePoolRef,
    { x, ...lists(LISTS.slice(PROMPTS)), e: garbage(V * D) },
    keys,
    {
      tolerance: TOLERANCE,
      shapes: { e: [V, D] },
    },
  );
  const vectors = random.normal(V * D);
  const made = { cosines: garbage(2 * V), de: garbage(V * D), losses: garbage(PROMPTS) };
  const arrays = { vectors, ranges: RANGES, signs: SIGNS, ...made };
  const prompts = { ...NONE, D, rows: PROMPTS };
  const written = await expectTwin(queue, contrastiveLoss, contrastiveLossRef, arrays, prompts, {
    tolerance: TOLERANCE,
    shapes: { de: [V, D] },
  });
  const gradient = new Float32Array(written.get("de") ?? []);
  const scattered = { ...touchedBy(PROMPTS, V), counts: COUNTS, gradient, dx: random.normal(T * heads * D) };
  const params = { ...keys, rows: scattered.touched.length, weight: 0.7 };
  await expectTwin(queue, contrastiveScatter, contrastiveScatterRef, scattered, params, {
    tolerance: TOLERANCE,
    shapes: { dx: [T, heads, D] },
  });
});

test("more vectors and a longer head than a workgroup has lanes", async () => {
  const random = new TestRandom(2);
  const [many, D] = [150, 128];
  const signs = Float32Array.from({ length: many }, (_, v) => (v % 3 === 0 ? 0.02 : -0.01));
  const arrays = {
    vectors: random.normal(many * D),
    ranges: Uint32Array.of(1, many),
    signs,
    cosines: garbage(2 * many),
    de: garbage(many * D),
    losses: garbage(1),
  };
  await expectTwin(
    queue,
    contrastiveLoss,
    contrastiveLossRef,
    arrays,
    { ...NONE, D, rows: 1 },
    { tolerance: TOLERANCE },
  );
});

test.each([1, 64, 150])("the sum of %d losses is its twin's, and counts them", async (rows) => {
  const arrays = { found: new TestRandom(rows).normal(rows), total: Float32Array.of(2, 5) };
  const params = { ...NONE, rows };
  const written = await expectTwin(queue, contrastiveSum, contrastiveSumRef, arrays, params, { tolerance: TOLERANCE });
  expect(written.get("total")?.[1]).toBe(5 + rows);
});

test("a large sum of cosines gives a finite loss on both sides", async () => {
  for (const sign of [1, -1]) {
    const many = 200;
    const vectors = new Float32Array(many * 4).fill(1);
    const signs = new Float32Array(many).fill(sign);
    const made = { cosines: garbage(2 * many), de: garbage(many * 4), losses: garbage(1) };
    const arrays = { vectors, ranges: Uint32Array.of(1, many), signs, ...made };
    const written = await runKernel(queue, contrastiveLoss, arrays, { ...NONE, D: 4, rows: 1 });
    expect(written.get("losses")?.[0]).toBeCloseTo(sign === 1 ? 0 : many - 1, 3);
    expect(written.get("de")?.every(Number.isFinite)).toBe(true);
  }
});

test("a vector of zeros has no direction: cosine 0 and finite gradients", async () => {
  const vectors = new TestRandom(5).normal(3 * 8);
  vectors.fill(0, 8, 16);
  const signs = Float32Array.of(0, 1, -1);
  const made = { cosines: garbage(6), de: garbage(24), losses: garbage(1) };
  const arrays = { vectors, ranges: Uint32Array.of(1, 3), signs, ...made };
  const params = { ...NONE, D: 8, rows: 1 };
  const written = await runKernel(queue, contrastiveLoss, arrays, params);
  expect(written.get("cosines")?.[2]).toBe(0);
  expect(written.get("losses")?.every(Number.isFinite)).toBe(true);
});

test("the twins' gradients in q and k, of two prompts that share rows, are those of the loss their forward adds up", () => {
  const random = new TestRandom(3);
  const [D, heads, kvHeads] = [4, 4, 2];
  const [q, k] = [random.normal64(T * heads * D), random.normal64(T * kvHeads * D)];
  const cotangent = random.normal64(1);
  const losses = new Float64Array(PROMPTS);
  const [vectors, de, cosines] = [new Float64Array(V * D), new Float64Array(V * D), new Float64Array(2 * V)];
  const signs = Float64Array.from(SIGNS);
  const forward = () => {
    contrastivePoolRef(
      { x: q, ...lists(LISTS.slice(0, PROMPTS)), e: vectors },
      { ...NONE, D, heads, rows: PROMPTS },
      {},
    );
    contrastivePoolRef(
      { x: k, ...lists(LISTS.slice(PROMPTS)), e: vectors },
      { ...NONE, D, heads: kvHeads, first: PROMPTS, rows: V - PROMPTS },
      {},
    );
    const total = new Float64Array(2);
    const prompts = { ...NONE, D, rows: PROMPTS };
    contrastiveLossRef({ vectors, ranges: Uint32Array.from(RANGES), signs, cosines, de, losses }, prompts, {});
    contrastiveSumRef({ found: losses, total }, prompts, {});
    return total.slice(0, 1);
  };
  forward();
  const [dq, dk] = [new Float64Array(q.length), new Float64Array(k.length)];
  const scatter = (first: number, end: number, count: number, dx: Float64Array) => {
    const scattered = { ...touchedBy(first, end), counts: Float64Array.from(COUNTS), gradient: de.slice(), dx };
    const params = { ...NONE, D, heads: count, rows: scattered.touched.length, weight: cotangent[0] ?? NaN };
    contrastiveScatterRef(scattered, params, {});
  };
  scatter(0, PROMPTS, heads, dq);
  scatter(PROMPTS, V, kvHeads, dk);
  expectGradient("contrastive q", forward, q, cotangent, dq);
  expectGradient("contrastive k", forward, k, cotangent, dk);
});
