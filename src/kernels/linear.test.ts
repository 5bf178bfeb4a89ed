import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { unpackPart } from "../model/gguf/pack.ts";
import { expectGradient } from "./gradientCheck.ts";
import { expectTwin } from "./expectTwin.ts";
import { linearBackward, linearForward, linearForwardRow } from "./linear.ts";
import { linearBackwardRef, linearForwardRef, linearForwardRowRef } from "./linear.ref.ts";
import { randomWeights, WEIGHT_VARIANTS } from "./randomWeights.ts";
import { garbage, TestRandom } from "./testRandom.ts";
import { weightAt } from "./weights.ref.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Sums of up to 512 f32 products: the rounding errors add up like √512·2⁻²⁴ of the terms, about 1.4e-6 of the rms. */
const TOLERANCE = 1e-5;

/** Rows with and without a tail of the 4-row tile; N that needs padding, and K that fills several workgroups. */
function shapesOf(variant: (typeof WEIGHT_VARIANTS)[number]) {
  const largeK = variant.name === "q4k" || variant.name === "q8 halves" ? 512 : 320;
  const smallK = { q4: 32, "q4 symmetric": 96, q4k: 256, q8: 32, "q8 halves": 256, f32: 20 }[variant.name];
  return [
    { rows: 1, N: 8, K: smallK },
    { rows: 7, N: 77, K: smallK },
    { rows: 4, N: 24, K: largeK },
  ];
}

describe.each(WEIGHT_VARIANTS)("linear, $name weights", (variant) => {
  const { constants } = variant;

  test("forward is its twin's, over garbage", async () => {
    const random = new TestRandom(1);
    for (const { rows, N, K } of shapesOf(variant)) {
      const { words, scales, Np } = randomWeights(random, variant, N, K);
      const arrays = { x: random.normal(rows * K), words, scales, y: garbage(rows * N) };
      const params = { rows, K, N, Np, n0: 0, stride: N, accumulate: 0 };
      const options = { tolerance: TOLERANCE, constants, shapes: { y: [rows, N] } };
      await expectTwin(queue, linearForward, linearForwardRef, arrays, params, options);
      await expectTwin(queue, linearForwardRow, linearForwardRowRef, arrays, params, options);
    }
  });

  test("forward writes one part of a wider row, and adds to it", async () => {
    const random = new TestRandom(2);
    const [rows, N, K, n0, stride] = [5, 13, 256, 8, 24];
    const { words, scales, Np } = randomWeights(random, variant, N, K);
    for (const accumulate of [0, 1]) {
      const y = accumulate === 1 ? random.normal(rows * stride) : garbage(rows * stride);
      const arrays = { x: random.normal(rows * K), words, scales, y };
      const params = { rows, K, N, Np, n0, stride, accumulate };
      const options = { tolerance: TOLERANCE, constants, shapes: { y: [rows, stride] } };
      await expectTwin(queue, linearForward, linearForwardRef, arrays, params, options);
      await expectTwin(queue, linearForwardRow, linearForwardRowRef, arrays, params, options);
    }
  });

  test("backward is its twin's, over garbage", async () => {
    const random = new TestRandom(3);
    for (const { rows, N, K } of shapesOf(variant)) {
      const { words, scales, Np } = randomWeights(random, variant, N, K);
      // dY is read in vectors of 4: its rows are a multiple of 4 long, as logits' are.
      const arrays = { dy: random.normal(rows * Np), words, scales, dx: garbage(rows * K) };
      const params = { rows, K, N, Np, n0: 0, stride: Np, accumulate: 0 };
      const options = { tolerance: TOLERANCE, constants, shapes: { dx: [rows, K] } };
      await expectTwin(queue, linearBackward, linearBackwardRef, arrays, params, options);
    }
  });

  test("backward adds over the parts of a split weight", async () => {
    const random = new TestRandom(4);
    const [rows, K, stride] = [5, 256, 32];
    const dy = random.normal(rows * stride);
    let dx = garbage(rows * K);
    for (const [n0, N] of [
      [0, 16],
      [16, 13],
    ] as const) {
      const { words, scales, Np } = randomWeights(random, variant, N, K);
      const params = { rows, K, N, Np, n0, stride, accumulate: n0 === 0 ? 0 : 1 };
      const options = { tolerance: TOLERANCE, constants, shapes: { dx: [rows, K] } };
      const arrays = { dy, words, scales, dx };
      const written = await expectTwin(queue, linearBackward, linearBackwardRef, arrays, params, options);
      dx = new Float32Array(written.get("dx") ?? []);
    }
  });

  test("the twin reads the weights that the packer means", () => {
    const [N, K] = [13, 256];
    const { words, scales, Np } = randomWeights(new TestRandom(6), variant, N, K);
    const layout = (["q4", "q4k", "q8", "f32"] as const)[constants.LAYOUT];
    const kinds = { "q8 halves": "halves", "q4 symmetric": "scale" } as const;
    const scaleKind = variant.name in kinds ? kinds[variant.name as keyof typeof kinds] : "scaleMin";
    const weights = Float32Array.from({ length: N * K }, (_, i) =>
      weightAt({ words, scales, K, Np }, constants, Math.floor(i / K), i % K),
    );
    expect(weights).toEqual(unpackPart({ layout, scaleKind, n0: 0, N, Np, K, words, scales }));
  });
});

test("the twin's backward is the gradient of its forward", () => {
  const random = new TestRandom(5);
  const [variant] = WEIGHT_VARIANTS;
  const [rows, N, K] = [2, 5, 32];
  const { words, scales, Np } = randomWeights(random, variant, N, K);
  const params = { rows, K, N, Np, n0: 0, stride: N, accumulate: 0 };
  const x = random.normal64(rows * K);
  const dy = random.normal64(rows * N);
  const y = new Float64Array(rows * N);
  const dx = new Float64Array(rows * K);
  linearBackwardRef({ dy, words, scales, dx }, params, variant.constants);
  const forward = () => {
    linearForwardRef({ x, words, scales, y }, params, variant.constants);
    return y;
  };
  expectGradient("linear.forward x", forward, x, dy, dx);
});
