import { describe, expect, it } from "vitest";
import { bestScore, isExhausted, type HeldoutScore } from "./heldoutScores.ts";

const scored = (...values: number[]): HeldoutScore[] =>
  values.map((f1, index) => ({
    step: index + 1,
    epoch: index + 1,
    precision: f1,
    recall: f1,
    f1,
    boundaryErrorRate: 0,
  }));

describe("bestScore", () => {
  it("is of the highest F1, and of equals the last", () => {
    expect(bestScore(scored(0.1, 0.4, 0.3))?.step).toBe(2);
    expect(bestScore(scored(0, 0, 0))?.step).toBe(3);
    expect(bestScore(scored(0.2, 0.5, 0.5, 0.1))?.step).toBe(3);
  });

  it("is none where nothing was scored", () => {
    expect(bestScore([])).toBeNull();
  });
});

describe("isExhausted", () => {
  it("counts scores since F1 last rose", () => {
    expect(isExhausted(scored(0.1, 0.4, 0.3), 2)).toBe(false);
    expect(isExhausted(scored(0.1, 0.4, 0.3, 0.4), 2)).toBe(true);
    expect(isExhausted(scored(0.1, 0.4, 0.3, 0.5), 2)).toBe(false);
  });

  it("never is without patience or scores", () => {
    expect(isExhausted(scored(0.4, 0.1, 0.1, 0.1), null)).toBe(false);
    expect(isExhausted([], 1)).toBe(false);
  });
});
