import { expect, test } from "vitest";
import { chosenDrop, largestChange, unmovedMargin } from "./alarms.ts";
import type { StepLog } from "./trainer.ts";

const log = (epoch: number, terms: Partial<StepLog>): StepLog => ({
  ...{ step: 1, epoch, loss: 0, learning_rate: 0, grad_norm: 0, num_tokens: 0 },
  ...terms,
});

test("chosen answers may fall as far as allowed, and are reported in nats beyond", () => {
  const settings = { beta: 0.1, chosenDropAlarm: 5 };
  expect(chosenDrop(log(1, { "rewards/chosen": -0.49 }), settings)).toBeNull();
  expect(chosenDrop(log(1, { "rewards/chosen": -0.6 }), settings)).toBeCloseTo(6, 10);
  expect(chosenDrop(log(1, { "rewards/chosen": 3 }), settings)).toBeNull();
});

test("margins are judged by the mean of the last epoch", () => {
  const margins = (values: readonly [number, number][]) =>
    values.map(([epoch, margin]) => log(epoch, { "rewards/margins": margin }));
  expect(
    unmovedMargin(
      margins([
        [0.5, 4],
        [1, 4],
        [1.5, 0.001],
        [2, 0.003],
      ]),
    ),
  ).toBeCloseTo(0.002, 10);
  expect(
    unmovedMargin(
      margins([
        [0.5, 0],
        [1, 0.5],
      ]),
    ),
  ).toBeNull();
  expect(unmovedMargin(margins([[1, -0.5]]))).toBeNull();
});

test("the largest change is over all tensors, and a new one counts from zero", () => {
  const tensors = (a: number[], b: number[]) =>
    new Map([
      ["a", { data: Float32Array.from(a) }],
      ["b", { data: Float32Array.from(b) }],
    ]);
  expect(largestChange(tensors([1, 2], [3]), tensors([1, 2.5], [1]))).toBe(2);
  expect(largestChange(new Map(), tensors([0.5], [0]))).toBe(0.5);
});
