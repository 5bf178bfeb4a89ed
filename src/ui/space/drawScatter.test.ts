import { expect, test } from "vitest";
import { nearestPoint, placeOf, planeScale } from "./drawScatter.ts";

test("states share one scale, the same along both axes, and y grows upwards", () => {
  const [a, b] = [Float32Array.of(0, 0, 4, 2), Float32Array.of(8, 1, 8, -1)];
  const scale = planeScale([a, b], 108);
  expect(placeOf(scale, a, 0)).toEqual([14, 54 + 0.5 * 10]);
  expect(placeOf(scale, b, 0)).toEqual([94, 54 - 0.5 * 10]);
  expect(placeOf(scale, a, 1)[1]).toBeLessThan(placeOf(scale, a, 0)[1]);
  expect(nearestPoint(scale, a, 16, 60)).toBe(0);
  expect(nearestPoint(scale, a, 50, 90)).toBeNull();
});

test("identical points stand in the middle", () => {
  const same = Float32Array.of(3, 3, 3, 3);
  expect(placeOf(planeScale([same], 100), same, 1)).toEqual([50, 50]);
});
