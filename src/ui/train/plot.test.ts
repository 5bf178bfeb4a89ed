import { expect, it } from "vitest";
import { legendText, tickText, verticalRange } from "./plot.ts";
import { chartsOf } from "./stepSeries.ts";

it("a loss is drawn from zero, a reward around its values", () => {
  const log = { step: 1, epoch: 1, loss: 2, learning_rate: 1, grad_norm: 1, num_tokens: 1, "rewards/margins": 1 };
  const [loss, margins, accuracies] = chartsOf([log], { beta: 0.1 });
  if (loss === undefined || margins === undefined || accuracies === undefined) throw new Error("expected three charts");
  expect(verticalRange(loss, 1.5, 2)).toEqual([0, 2.16]);
  expect(verticalRange(margins, -1, 1)).toEqual([-1.16, 1.16]);
  expect(verticalRange(margins, 0, 0)).toEqual([-0.5, 0.5]);
  expect(verticalRange(accuracies, 0.5, 0.5)).toEqual([0, 1]);
  expect(verticalRange(loss, null, null)[1]).toBeGreaterThan(0);
});

it("ticks of tiny margins and learning rates differ", () => {
  const ticks = [0, 0.000002, -0.0005, 0.00025, 0.25, -20];
  expect(ticks.map(tickText)).toEqual(["0", "2e-6", "-5e-4", "2.5e-4", "0.25", "-20"]);
});

it("a learning rate under the cursor is not rounded away", () => {
  expect([0, 5e-6, 3e-4, 0.002, 1.25].map(legendText)).toEqual(["0.0000", "5.00e-6", "3.00e-4", "0.0020", "1.2500"]);
});
