import { expect, test } from "vitest";
import { epochOrder, linearSchedule } from "./schedule.ts";

const rates = (total: number, warmupRatio: number) =>
  Array.from({ length: total + 1 }, (_, step) => linearSchedule(step, total, warmupRatio, 1));

// As transformers 4's get_linear_schedule_with_warmup with ceil(total · ratio) warm-up steps gives them.
test.each([
  { total: 4, ratio: 0, expected: [1, 3 / 4, 2 / 4, 1 / 4, 0] },
  { total: 5, ratio: 0.4, expected: [0, 1 / 2, 1, 2 / 3, 1 / 3, 0] },
  { total: 3, ratio: 0.1, expected: [0, 1, 1 / 2, 0] }, // a started step of warm-up is a whole one
  { total: 2, ratio: 1, expected: [0, 1 / 2, 0] },
  { total: 1, ratio: 0, expected: [1, 0] },
])("$total steps, warm-up $ratio", ({ total, ratio, expected }) => {
  rates(total, ratio).forEach((rate, step) => expect(rate).toBeCloseTo(expected[step] ?? NaN, 12));
});

test("every epoch has each example once, in an order of its own, the same for the same seed", () => {
  const [first, second, other] = [epochOrder(20, 42, 0), epochOrder(20, 42, 1), epochOrder(20, 7, 0)];
  for (const order of [first, second, other]) {
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  }
  expect(epochOrder(20, 42, 0)).toEqual(first);
  expect(second).not.toEqual(first);
  expect(other).not.toEqual(first);
});
