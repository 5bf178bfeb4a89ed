/** How many cells of attention are shown at a time. */
import { expect, test } from "vitest";
import { checkCells } from "./inspectAttention.ts";

test("maps that are too many and large together are refused, saying what can be shown", () => {
  checkCells(1, 2000, 2000, 3);
  checkCells(9, 1024, 1024, 1);
  expect(() => {
    checkCells(32, 800, 700, 2);
  }).toThrow(
    "expected at most 16 million cells of all maps together, got 35.8 million: 32 heads × 800 × 700 tokens × 2 states (choose one head or the mean; ",
  );
  expect(() => {
    checkCells(1, 3000, 3000, 3);
  }).toThrow("got 27 million: 3000 × 3000 tokens × 3 states (choose fewer states, or a shorter sentence)");
});
