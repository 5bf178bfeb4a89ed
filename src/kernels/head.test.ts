import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import { headPicked } from "./head.ts";
import { headPickedRef } from "./head.ref.ts";
import { randomWeights, WEIGHT_VARIANTS } from "./randomWeights.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Sums of 256 products in 32 lanes and a tree. */
const TOLERANCE = 2e-6;

test.each(WEIGHT_VARIANTS)("picked over two parts is its twin's, $name weights", async (variant) => {
  const random = new TestRandom(1);
  const K = variant.name === "f32" ? 100 : 256;
  // More picks than workgroups go along x.
  const picks = Uint32Array.from({ length: 2 * 300 }, (_, i) => random.integer(i % 2 === 0 ? 3 : 29));
  const count = picks.length / 2;
  const x = random.normal(3 * K);
  let y = garbage(count);
  for (const [n0, N] of [
    [0, 16],
    [16, 13],
  ] as const) {
    const { words, scales, Np } = randomWeights(random, variant, N, K);
    const params = { count, K, N, Np, n0 };
    const written = await expectTwin(queue, headPicked, headPickedRef, { x, picks, words, scales, y }, params, {
      tolerance: TOLERANCE,
      constants: variant.constants,
      shapes: { y: [count] },
    });
    // Picks of the other part are as they were: NaN until their part has run.
    y = new Float32Array(written.get("y") ?? []);
    expect(y.some(Number.isNaN)).toBe(n0 === 0);
  }
});
