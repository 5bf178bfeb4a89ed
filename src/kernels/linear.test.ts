import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { unpackPart } from "../model/gguf/pack.ts";
import { expectGradient } from "./gradientCheck.ts";
import { linearBackward, linearForward, linearForwardRow } from "./linear.ts";
import { linearBackwardRef, linearForwardRef, linearForwardRowRef } from "./linear.ref.ts";
import { pair, testLinear } from "./linearCases.ts";
import { randomWeights, WEIGHT_VARIANTS } from "./randomWeights.ts";
import { TestRandom } from "./testRandom.ts";
import { weightAt } from "./weights.ref.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

testLinear(queue, {
  forward: [pair(linearForward, linearForwardRef), pair(linearForwardRow, linearForwardRowRef)],
  backward: [pair(linearBackward, linearBackwardRef)],
});

describe.each(WEIGHT_VARIANTS)("$name weights", (variant) => {
  const { constants } = variant;

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
