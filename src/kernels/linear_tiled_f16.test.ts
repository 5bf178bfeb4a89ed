import { create } from "webgpu";
import { describe, expect, test } from "vitest";
import { PipelineCache } from "../gpu/kernel.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { expectTwin } from "./expectTwin.ts";
import { pair, testLinear } from "./linearCases.ts";
import { linearTiledF16Backward, linearTiledF16Forward } from "./linear_tiled_f16.ts";
import { linearTiledF16BackwardRef, linearTiledF16ForwardRef } from "./linear_tiled_f16.ref.ts";
import { randomWeights, WEIGHT_VARIANTS } from "./randomWeights.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const gpu = await testGpu();
const queue = new CommandQueue(gpu);
/** Small tiles, so that the cases span several workgroups along rows and columns. */
const small = { WG_X: 8, WG_Y: 1, STEP: 16 };

/**
 * f16 has 11 bits: x and w are off by 2e-4 each in the mean of squares (at most 2^-11), and the eight roundings of a short
 * sum come to about twice that. Their signs are as good as random, so that relative to the rms of the sums all of it stays
 * 6e-4 however many terms there are, and among some thousand values the worst is four or five times as far off. With
 * 11 bits in the long sums too it would be beyond.
 */
const TOLERANCE = 4e-3;

test("this machine's adapter has shader-f16, which all that follows needs", () => {
  expect([...gpu.device.features]).toContain("shader-f16");
});

testLinear(queue, {
  forward: [pair(linearTiledF16Forward, linearTiledF16ForwardRef, small)],
  backward: [pair(linearTiledF16Backward, linearTiledF16BackwardRef, small)],
  tolerance: TOLERANCE,
});

const [rows, N, K] = [70, 77, 320];
const [q4] = WEIGHT_VARIANTS;
const { words, scales, Np } = randomWeights(new TestRandom(5), q4, N, K);
const params = { rows, K, N, Np, n0: 0, stride: Np, accumulate: 0 };

async function forward(x: Float32Array, tile: Readonly<Record<string, number>> = {}): Promise<Float32Array> {
  const arrays = { x, words, scales, y: garbage(rows * Np).fill(0) };
  const written = await runKernel(queue, linearTiledF16Forward, arrays, params, { ...q4.constants, ...tile });
  return written.get("y") ?? new Float32Array();
}

async function backward(dy: Float32Array, tile: Readonly<Record<string, number>> = {}): Promise<Float32Array> {
  const arrays = { dy, words, scales, dx: garbage(rows * K) };
  const written = await runKernel(queue, linearTiledF16Backward, arrays, params, { ...q4.constants, ...tile });
  return written.get("dx") ?? new Float32Array();
}

const times = (values: Float32Array, factor: number) => values.map((value) => value * factor);

test("tiles of another size give the same sums, bit for bit", async () => {
  const random = new TestRandom(6);
  const x = random.normal(rows * K);
  const dy = random.normal(rows * Np);
  const y = await forward(x);
  expect(y.some((value) => value !== 0)).toBe(true);
  expect(await forward(x, small)).toEqual(y);
  expect(await backward(dy, small)).toEqual(await backward(dy));
});

describe("what f16 does not hold", () => {
  // Beyond ±65504 and below 6e-8 there is no f16 at all. 2^100 and 2^-100 are far past either.
  test.each([2 ** 20, 2 ** -20, 2 ** 100, 2 ** -100])(
    "x and dY of size %d give what those of size 1 do",
    async (size) => {
      const random = new TestRandom(7);
      const x = random.normal(rows * K);
      const dy = random.normal(rows * Np);
      expect(await forward(times(x, size))).toEqual(times(await forward(x), size));
      expect(await backward(times(dy, size))).toEqual(times(await backward(dy), size));
    },
  );

  test("rows of unlike sizes and massive single activations keep their bits each", async () => {
    const random = new TestRandom(8);
    for (const size of [1e-6, 1, 3000, 1e6, 3e9]) {
      const x = random.normal(rows * K);
      const dy = random.normal(rows * Np);
      // One input of some rows is massive: theirs have another rms, so that they are compared apart.
      for (const one of [3, 11, 64]) {
        const row = x.subarray(one * K, (one + 1) * K);
        row[random.integer(K)] = size;
        const only = { ...params, rows: 1 };
        const layout = { tolerance: TOLERANCE, constants: { ...q4.constants, ...small } };
        const y = garbage(Np).fill(0);
        const alone = { x: Float32Array.from(row), words, scales, y };
        const single = await expectTwin(queue, linearTiledF16Forward, linearTiledF16ForwardRef, alone, only, layout);
        const all = await forward(x, small);
        expect(all.slice(one * Np, (one + 1) * Np)).toEqual(single.get("y"));
        const gradient = dy.subarray(one * Np, (one + 1) * Np);
        gradient.set(times(gradient, size));
        const back = { dy: Float32Array.from(gradient), words, scales, dx: garbage(K) };
        await expectTwin(queue, linearTiledF16Backward, linearTiledF16BackwardRef, back, only, layout);
      }
    }
  });

  test("the largest numbers of f32 stay finite in tile and sum, and the smallest are not lost", async () => {
    const layout = { LAYOUT: 3, ...small };
    const f32 = { rows: 1, K: 8, N: 8, Np: 8, n0: 0, stride: 8, accumulate: 0 };
    const identity = Float32Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 1 : 0));
    const x = Float32Array.of(3.4e38, -3.4e38, 2 ** 127, 0, 2 ** 126, -0, 1.5 * 2 ** 127, 2 ** 120);
    const tiny = Float32Array.of(2 ** -126, 2 ** -125, 0, 0, -(2 ** -126), 1.5 * 2 ** -126, 0, 2 ** -120);
    for (const values of [x, tiny]) {
      const arrays = { x: values, words: new Uint32Array(identity.buffer), scales: new Uint32Array(1), y: garbage(8) };
      const y = (await runKernel(queue, linearTiledF16Forward, arrays, f32, layout)).get("y") ?? [];
      values.forEach((value, i) =>
        expect(Math.abs((y[i] ?? NaN) / 2 - value / 2)).toBeLessThanOrEqual(Math.abs(value) / 1024),
      );
    }
  });

  test("weights past ±2000 are cut to that, and stay finite with the largest x", async () => {
    const layout = { LAYOUT: 3, ...small };
    const f32 = { rows: 1, K: 8, N: 8, Np: 8, n0: 0, stride: 8, accumulate: 0 };
    const weights = Float32Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 1e9 : -1e9));
    const packed = { words: new Uint32Array(weights.buffer), scales: new Uint32Array(1) };
    // Just below the next power of two: the largest sum of eight there can be.
    const most = { x: new Float32Array(8).fill(1.9990234375), ...packed, y: garbage(8) };
    const y = (await runKernel(queue, linearTiledF16Forward, most, f32, layout)).get("y");
    y?.forEach((value, n) =>
      expect(Math.abs(value / (n % 2 === 0 ? 1 : -1) / (8 * 1.9990234375 * 2000) - 1)).toBeLessThan(TOLERANCE),
    );
    const back = { dy: new Float32Array(8).fill(1.9990234375), ...packed, dx: garbage(8) };
    const dx = (await runKernel(queue, linearTiledF16Backward, back, f32, layout)).get("dx");
    expect(dx?.every((value) => Number.isFinite(value))).toBe(true);
  });

  test.each([NaN, Infinity, -Infinity])(
    "%d in a row leaves no value of it finite, and the others alone",
    async (bad) => {
      const random = new TestRandom(9);
      const x = random.normal(rows * K);
      const dy = random.normal(rows * Np);
      const [y, dx] = [await forward(x), await backward(dy)];
      x[13 * K + 100] = bad;
      dy[13 * Np + 50] = bad;
      const [badY, badDx] = [await forward(x), await backward(dy)];
      const finite = (values: Float32Array, width: number) =>
        Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width).some(Number.isFinite));
      for (const [good, broken, width] of [
        [y.map((value, i) => (i % Np < N ? value : NaN)), badY.map((value, i) => (i % Np < N ? value : NaN)), Np],
        [dx, badDx, K],
      ] as const) {
        expect(finite(broken, width).flatMap((any, row) => (any ? [] : [row]))).toEqual([13]);
        expect(broken.filter((_, i) => Math.floor(i / width) !== 13)).toEqual(
          good.filter((_, i) => Math.floor(i / width) !== 13),
        );
      }
    },
  );
});

test("its tiles fit in the workgroup memory that every adapter has", async () => {
  const api = create([]);
  const adapter = await api.requestAdapter();
  const device = await adapter?.requestDevice({ requiredFeatures: ["shader-f16"] });
  if (device === undefined) throw new Error("expected a device with shader-f16, got none");
  expect(device.limits.maxComputeWorkgroupStorageSize).toBe(16384);
  const pipelines = new PipelineCache(device);
  for (const kernel of [linearTiledF16Forward, linearTiledF16Backward]) await pipelines.prepare(kernel, q4.constants);
  // Twice as much does not.
  await expect(pipelines.prepare(linearTiledF16Forward, { ...q4.constants, STEP: 64 })).rejects.toThrow(/workgroup/iu);
  device.destroy();
  expect([api, adapter]).toHaveLength(2); // collected earlier, they would end the process
});
