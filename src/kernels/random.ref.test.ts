import { expect, test } from "vitest";
import { dropoutFactor, pcg } from "./random.ref.ts";

/** The same permutation with exact integers, from the description in Jarzynski & Olano 2020, section 3.2. */
function pcgExact(counter: bigint): bigint {
  const u32 = (value: bigint) => BigInt.asUintN(32, value);
  const state = u32(counter * 747796405n + 2891336453n);
  const word = u32(((state >> ((state >> 28n) + 4n)) ^ state) * 277803737n);
  return (word >> 22n) ^ word;
}

test("pcg wraps as 32-bit integers do", () => {
  for (const counter of [0, 1, 2, 12345, 0x7fffffff, 0x80000000, 0xffffffff]) {
    expect(pcg(counter)).toBe(Number(pcgExact(BigInt(counter))));
  }
});

test("dropout keeps the asked share of elements and the mean, anew for each seed", () => {
  const rate = 0.25;
  const factors = (seed: number) =>
    Array.from({ length: 40_000 }, (_, i) => dropoutFactor(seed, i, rate * 2 ** 32, 1 / (1 - rate)));
  const [a, b] = [factors(1), factors(2)];
  // Standard error of the mean of 40,000 factors: sqrt(rate/(1 − rate)/40,000) = 0.003.
  for (const mask of [a, b]) {
    expect(new Set(mask)).toEqual(new Set([0, 1 / (1 - rate)]));
    expect(mask.reduce((sum, factor) => sum + factor, 0) / mask.length).toBeCloseTo(1, 1);
  }
  const bothDropped = a.filter((factor, i) => factor === 0 && b[i] === 0).length / a.length;
  expect(bothDropped).toBeGreaterThan(rate ** 2 - 0.01);
  expect(bothDropped).toBeLessThan(rate ** 2 + 0.01);
});
