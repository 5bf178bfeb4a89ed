import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { pair, testLinear } from "./linearCases.ts";
import { linearTiledBackward, linearTiledForward } from "./linear_tiled.ts";
import { linearTiledBackwardRef, linearTiledForwardRef } from "./linear_tiled.ref.ts";
import { randomWeights, WEIGHT_VARIANTS } from "./randomWeights.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu());
/** Small tiles, so that the cases span several workgroups along rows and columns. */
const small = { WG_X: 8, WG_Y: 1, STEP: 16 };

testLinear(queue, {
  forward: [pair(linearTiledForward, linearTiledForwardRef, small)],
  backward: [pair(linearTiledBackward, linearTiledBackwardRef, small)],
});

test("tiles of another size give the same sums, bit for bit: results do not depend on what was tuned", async () => {
  const random = new TestRandom(5);
  const [rows, N, K] = [70, 77, 320];
  const [variant] = WEIGHT_VARIANTS;
  const { words, scales, Np } = randomWeights(random, variant, N, K);
  const params = { rows, K, N, Np, n0: 0, stride: Np, accumulate: 0 };
  const x = random.normal(rows * K);
  const dy = random.normal(rows * Np);
  const results = [];
  for (const tile of [small, {}]) {
    const constants = { ...variant.constants, ...tile };
    const y = garbage(rows * Np).fill(0);
    const forward = await runKernel(queue, linearTiledForward, { x, words, scales, y }, params, constants);
    const dx = garbage(rows * K);
    const backward = await runKernel(queue, linearTiledBackward, { dy, words, scales, dx }, params, constants);
    results.push([forward.get("y"), backward.get("dx")]);
  }
  expect(results[0]?.[0]?.some((value) => value !== 0)).toBe(true);
  expect(results[0]).toEqual(results[1]);
});
