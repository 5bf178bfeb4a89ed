import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { embeddingGather } from "./embedding.ts";
import { embeddingGatherRef } from "./embedding.ref.ts";
import { expectTwin } from "./expectTwin.ts";
import { randomWeights, WEIGHT_VARIANTS } from "./randomWeights.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** One product and one sum of f32, the product as large as the terms' rms. */
const TOLERANCE = 5e-7;

test.each(WEIGHT_VARIANTS)("gather over two parts is its twin's, $name weights", async (variant) => {
  const random = new TestRandom(1);
  const C = variant.name === "f32" ? 100 : 256;
  const ids = Uint32Array.of(0, 28, 15, 16, 7, 15, 27);
  const rows = ids.length;
  let x = garbage(rows * C);
  for (const [n0, N] of [
    [0, 16],
    [16, 13],
  ] as const) {
    const { words, scales, Np } = randomWeights(random, variant, N, C);
    const params = { rows, C, N, Np, n0 };
    const written = await expectTwin(queue, embeddingGather, embeddingGatherRef, { ids, words, scales, x }, params, {
      tolerance: TOLERANCE,
      constants: variant.constants,
      shapes: { x: [rows, C] },
    });
    // Rows of the other part are as they were: NaN until their part has run.
    x = new Float32Array(written.get("x") ?? []);
    expect(x.some(Number.isNaN)).toBe(n0 === 0);
  }
});
