import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { crossEntropyAccumulate, crossEntropyBackward, crossEntropyFinish } from "./cross_entropy.ts";
import { crossEntropyAccumulateRef, crossEntropyBackwardRef, crossEntropyFinishRef } from "./cross_entropy.ref.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** exp of differences up to 50 away: WGSL allows it 3 + 2·50 units in the last place, and the sum has 300 terms. */
const TOLERANCE = 1e-5;

/** Parameters that an entry point does not read still need a number. */
const NA = 0;

const [rows, V, stride] = [5, 300, 128];
const chunks = [0, 128, 256].map((n0) => ({ n0, N: Math.min(stride, V - n0) }));
/** The first and last of the vocabulary, both sides of a chunk's edge, and one in between. */
const labels = Uint32Array.of(0, 127, 128, 299, 200);

/** The columns of a chunk, rows `stride` apart; what lies past the last chunk's columns is never read. */
function chunkOf<T extends Float32Array | Float64Array>(logits: T, { n0, N }: { n0: number; N: number }): T {
  const chunk = logits.slice(0, rows * stride).fill(NaN);
  for (let row = 0; row < rows; row++) {
    chunk.set(logits.subarray(row * V + n0, row * V + n0 + N), row * stride);
  }
  return chunk as T;
}

test("the vocabulary in chunks: accumulate, finish and backward are their twins'", async () => {
  const random = new TestRandom(1);
  const logits = random.normal(rows * V, 10);
  logits.set([80, -80], V + 10); // a row with one logit far above all others
  let stats = garbage(rows * 4);
  for (const [i, chunk] of chunks.entries()) {
    const params = { ...chunk, stride, first: i === 0 ? 1 : 0, perRow: NA, rows };
    const arrays = { logits: chunkOf(logits, chunk), labels, stats };
    const written = await expectTwin(queue, crossEntropyAccumulate, crossEntropyAccumulateRef, arrays, params, {
      tolerance: TOLERANCE,
      shapes: { stats: [rows, 4] },
    });
    stats = new Float32Array(written.get("stats") ?? []);
  }
  const finish = { finished: stats, total: Float32Array.of(2.5, 7) };
  const finishParams = { n0: 0, N: rows, stride: 0, first: 0, perRow: NA, rows: 1 };
  await expectTwin(queue, crossEntropyFinish, crossEntropyFinishRef, finish, finishParams, { tolerance: TOLERANCE });
  const factors = Float32Array.of(5, 0.37, -2, 0, 1);
  for (const perRow of [0, 1]) {
    for (const chunk of chunks) {
      const arrays = { dlogits: chunkOf(logits, chunk), labels, saved: stats, factors };
      await expectTwin(
        queue,
        crossEntropyBackward,
        crossEntropyBackwardRef,
        arrays,
        { ...chunk, stride, first: 0, perRow, rows },
        { tolerance: TOLERANCE, shapes: { dlogits: [rows, stride] } },
      );
    }
  }
});

test("finish adds up more rows than a workgroup has lanes", async () => {
  const count = 150;
  const finished = new TestRandom(2).normal(count * 4);
  const params = { n0: 0, N: count, stride: 0, first: 0, perRow: NA, rows: 1 };
  const arrays = { finished, total: new Float32Array(2) };
  const written = await expectTwin(queue, crossEntropyFinish, crossEntropyFinishRef, arrays, params, {
    tolerance: TOLERANCE,
  });
  expect(written.get("total")?.[1]).toBe(count);
});

test("the twin's backward is the gradient of the loss that its forward adds up", () => {
  const random = new TestRandom(3);
  const logits = random.normal64(rows * V, 3);
  const cotangent = random.normal64(1);
  const stats = new Float64Array(rows * 4);
  const forward = () => {
    for (const [i, chunk] of chunks.entries()) {
      const params = { ...chunk, stride, first: i === 0 ? 1 : 0, perRow: NA, rows };
      crossEntropyAccumulateRef({ logits: chunkOf(logits, chunk), labels, stats }, params, {});
    }
    const total = new Float64Array(2);
    crossEntropyFinishRef({ finished: stats, total }, { n0: 0, N: rows, stride, first: 0, perRow: NA, rows: 1 }, {});
    return total.slice(0, 1);
  };
  forward();
  const gradient = new Float64Array(rows * V);
  for (const chunk of chunks) {
    const dlogits = chunkOf(logits, chunk);
    const params = { ...chunk, stride, first: 0, perRow: 0, rows };
    crossEntropyBackwardRef({ dlogits, labels, saved: stats.slice(), factors: cotangent }, params, {});
    for (let row = 0; row < rows; row++) {
      gradient.set(dlogits.subarray(row * stride, row * stride + chunk.N), row * V + chunk.n0);
    }
  }
  expectGradient("cross_entropy logits", forward, logits, cotangent, gradient);
});
