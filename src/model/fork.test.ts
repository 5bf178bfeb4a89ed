import { expect, test } from "vitest";
import { attentionSegments, positions, positionsEnd } from "./fork.ts";

/** Two rows in common, then three and two. */
const fork = { shared: 2, middle: 5 };

test("both continuations count on from where the beginning ended", () => {
  expect([...positions(7, fork)]).toEqual([0, 1, 2, 3, 4, 2, 3]);
  expect(positionsEnd(7, fork)).toBe(5);
  expect(positionsEnd(12, fork)).toBe(9);
  expect([...positions(3, null)]).toEqual([0, 1, 2]);
  expect(positionsEnd(3, null)).toBe(3);
});

test("a row attends to the beginning and its own continuation, and is attended to by no other", () => {
  const quads = (rows: number, given: typeof fork | null) => {
    const segments = attentionSegments(rows, given);
    return Array.from({ length: rows }, (_, row) => [...segments.subarray(4 * row, 4 * row + 4)]);
  };
  expect(quads(7, fork)).toEqual([
    ...[0, 1].map(() => [0, 0, 0, 7]),
    ...[2, 3, 4].map(() => [0, 2, 2, 5]),
    ...[5, 6].map(() => [0, 2, 5, 7]),
  ]);
  expect(quads(2, null)).toEqual([0, 1].map(() => [0, 0, 0, 2]));
});
