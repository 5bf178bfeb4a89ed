import { expect, test } from "vitest";
import { expectClose } from "./expectClose.ts";

const closeness = { label: "y", shape: [2, 3], tolerance: 1e-3 };
const expected = [1, 2, 3, 4, 5, 6];

test("passes within the tolerance, relative to each value and the rms", () => {
  expectClose([1.004, 2, 3, 4, 5.0085, 6], expected, closeness);
  expectClose([NaN, 2], [NaN, 2], { label: "y", shape: [2], tolerance: 0 });
});

test("says where values differ, by how much, among which neighbours", () => {
  const compare = () => expectClose([1, 2, 3.1, 4, 5, 7], expected, closeness);
  expect(compare).toThrow("y (2, 3): 2 of 6 values differ by more than 0.001·(|expected| + rms 3.89)");
  expect(compare).toThrow("worst:\n  [1, 2] expected 6 ≠ actual 7 (difference 1.00e+0)");
  expect(compare).toThrow("window around the first, [0, 2]:\n  [0, 0] expected 1 = actual 1");
});

test("NaN and infinity agree with nothing else", () => {
  expect(() => expectClose([NaN], [1], { ...closeness, shape: [1] })).toThrow("expected 1 ≠ actual NaN");
  expect(() => expectClose([1], [NaN], { ...closeness, shape: [1] })).toThrow("expected NaN ≠ actual 1");
  expect(() => expectClose([Infinity], [1], { ...closeness, shape: [1] })).toThrow("actual Infinity");
  expect(() => expectClose([-0.1, 1], [0, 1], { ...closeness, shape: [2], tolerance: 0 })).toThrow("1 of 2");
});

test("shapes must fit", () => {
  expect(() => expectClose([1], [1, 2], { ...closeness, shape: [2] })).toThrow("expected 2 values, got 1");
});
