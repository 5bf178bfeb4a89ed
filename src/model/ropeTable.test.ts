import { expect, test } from "vitest";
import { ropeTable } from "./ropeTable.ts";

test.each([
  { name: "no scaling", ropeFactors: null },
  { name: "a factor for each pair", ropeFactors: Float32Array.of(1, 8) },
])("cos and sin of position · theta^(−2i/D) / factor: $name", ({ ropeFactors }) => {
  const table = ropeTable({ headDim: 4, ropeTheta: 500_000, ropeFactors }, 3000);
  expect(table.length).toBe(3000 * 4);
  for (const t of [0, 1, 2999]) {
    const angles = [t, t / Math.sqrt(500_000) / (ropeFactors?.[1] ?? 1)];
    angles.forEach((angle, i) => {
      expect(table[4 * t + 2 * i]).toBe(Math.fround(Math.cos(angle)));
      expect(table[4 * t + 2 * i + 1]).toBeCloseTo(Math.sin(angle), 6);
    });
  }
});
