import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { loraDown, loraGrad, loraUp } from "./lora.ts";
import { loraDownRef, loraGradRef, loraUpRef } from "./lora.ref.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Sums of at most 140 f32 products; their rounding errors come to about √140·2⁻²⁴ = 7e-7 of the rms. */
const TOLERANCE = 5e-6;

const NO_DROPOUT = { seed: 0, threshold: 0, keep: 1 };
const DROPOUT = { seed: 4_000_000_123, threshold: Math.round(0.3 * 2 ** 32), keep: 1 / 0.7 };

describe.each([
  { name: "no dropout", dropout: NO_DROPOUT },
  { name: "dropout", dropout: DROPOUT },
])("lora, $name", ({ dropout }) => {
  // Columns and rows that leave tails in a workgroup of 32, and ranks of one and two vec4.
  test.each([
    { rows: 1, R: 4, C: 4 },
    { rows: 37, R: 8, C: 140 },
  ])("all three products are their twins' at $rows × $R × $C", async ({ rows, R, C }) => {
    const random = new TestRandom(C);
    const params = { rows, R, C, scale: 1.75, ...dropout };
    const [x, h, m] = [random.normal(rows * C), random.normal(rows * R), random.normal(R * C)];
    const tolerance = TOLERANCE;
    const down = { x, m, out: garbage(rows * R) };
    await expectTwin(queue, loraDown, loraDownRef, down, params, { tolerance, shapes: { out: [rows, R] } });
    const up = { h, m, out: random.normal(rows * C) };
    await expectTwin(queue, loraUp, loraUpRef, up, params, { tolerance, shapes: { out: [rows, C] } });
    const grad = { h, xg: x, out: random.normal(R * C) };
    await expectTwin(queue, loraGrad, loraGradRef, grad, params, { tolerance, shapes: { out: [R, C] } });
  });

  test("backward is the gradient of y + s·(drop(x)·Aᵀ)·Bt, through the three twins", () => {
    const random = new TestRandom(7);
    const [rows, R, K, N, s] = [3, 4, 12, 8, 2];
    const input = { rows, R, C: K, scale: 1, ...dropout };
    const output = { rows, R, C: N, scale: s, ...NO_DROPOUT };
    const [x, dy] = [random.normal64(rows * K), random.normal64(rows * N)];
    const [A, Bt] = [random.normal64(R * K), random.normal64(R * N)];
    const xa = new Float64Array(rows * R);
    const forward = () => {
      const y = new Float64Array(rows * N);
      loraDownRef({ x, m: A, out: xa }, input, {});
      loraUpRef({ h: xa, m: Bt, out: y }, output, {});
      return y;
    };
    forward();
    const dxa = new Float64Array(rows * R);
    const [dx, dA, dBt] = [new Float64Array(rows * K), new Float64Array(R * K), new Float64Array(R * N)];
    loraDownRef({ x: dy, m: Bt, out: dxa }, output, {});
    loraUpRef({ h: dxa, m: A, out: dx }, input, {});
    loraGradRef({ h: dxa, xg: x, out: dA }, input, {});
    loraGradRef({ h: xa, xg: dy, out: dBt }, output, {});
    expectGradient("lora x", forward, x, dy, dx);
    expectGradient("lora A", forward, A, dy, dA);
    expectGradient("lora Bt", forward, Bt, dy, dBt);
  });
});

test("dropout drops: a dropped column of x leaves no trace in out", () => {
  const [rows, R, C] = [1, 4, 64];
  const out = new Float64Array(R);
  const ones = { x: new Float64Array(C).fill(1), m: new Float64Array(R * C).fill(1), out };
  loraDownRef(ones, { rows, R, C, scale: 1, ...DROPOUT }, {});
  const kept = (out[0] ?? NaN) / DROPOUT.keep;
  expect(kept).toBeCloseTo(Math.round(kept), 9);
  expect(kept).toBeGreaterThan(30);
  expect(kept).toBeLessThan(C);
});
