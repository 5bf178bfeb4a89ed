import { describe, expect, it } from "vitest";
import { epochEnded, isScoreDue } from "./heldoutSchedule.ts";
import type { StepLog } from "./trainer.ts";

/** Logs of a run of so many steps an epoch. */
function logs(steps: number, stepsPerEpoch: number): StepLog[] {
  return Array.from({ length: steps }, (_, index) => ({
    ...{ step: index + 1, epoch: (index + 1) / stepsPerEpoch },
    ...{ loss: 1, learning_rate: 1, grad_norm: 1, num_tokens: 1 },
  }));
}

const dueSteps = (total: number, stepsPerEpoch: number, every: number | null): number[] =>
  logs(total, stepsPerEpoch)
    .map(({ step }) => step)
    .filter((step) => isScoreDue(logs(step, stepsPerEpoch), total, every));

describe("isScoreDue", () => {
  it("is after each epoch, and after the last step", () => {
    expect(dueSteps(8, 3, null)).toEqual([3, 6, 8]);
    expect(dueSteps(4, 1, null)).toEqual([1, 2, 3, 4]);
  });

  it("is after every so many steps", () => {
    expect(dueSteps(7, 3, 3)).toEqual([3, 6, 7]);
  });

  it("is never before a step", () => {
    expect(isScoreDue([], 0, null)).toBe(false);
  });
});

it("epochEnded holds for epochs of any number of steps, rounded or not", () => {
  for (const stepsPerEpoch of [1, 3, 7, 49]) {
    const ends = logs(2 * stepsPerEpoch, stepsPerEpoch).filter(({ step }) => epochEnded(logs(step, stepsPerEpoch)));
    expect(ends.map(({ step }) => step)).toEqual([stepsPerEpoch, 2 * stepsPerEpoch]);
  }
});
