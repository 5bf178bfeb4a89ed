import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectGradient } from "./gradientCheck.ts";
import { loraDown, loraGrad, loraUp } from "./lora.ts";
import { loraDownRef, loraGradRef, loraUpRef } from "./lora.ref.ts";
import { DROPOUT, NO_DROPOUT, testLora, WITH_AND_WITHOUT_DROPOUT } from "./loraCases.ts";
import { TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

testLora(queue, { down: loraDown, up: loraUp, grad: loraGrad });

describe.each(WITH_AND_WITHOUT_DROPOUT)("$name", ({ dropout }) => {
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
