import { describe, expect, it } from "vitest";
import type { StepLog } from "../../worker/protocol.ts";
import { type Chart, chartsOf, dataOf, logsCsv } from "./stepSeries.ts";

const step = (n: number, terms: Partial<StepLog>): StepLog => ({
  ...{ step: n, epoch: n / 2, loss: n, learning_rate: 1e-4, grad_norm: 1, num_tokens: 10 * n },
  ...terms,
});
const labels = (chart: Chart | undefined): string[] | undefined => chart?.series.map(({ label }) => label);
const valuesOf = (chart: Chart | undefined, label: string, logs: StepLog[]) =>
  chart?.series.find((series) => series.label === label)?.values(logs);

describe("chartsOf", () => {
  it("draws the terms that the log has", () => {
    expect(chartsOf([], { beta: 0.1 }).map(labels)).toEqual([["loss", "smoothed"]]);
    const logs = [step(1, { sft_loss: 0.9, contrastive_loss: 0.5 }), step(2, { sft_loss: 0.8, contrastive_loss: 0.4 })];
    const [loss, ...others] = chartsOf(logs, { beta: 0.1 });
    expect(labels(loss)).toEqual(["loss", "smoothed", "SFT", "contrastive"]);
    expect(others.map(labels)).toEqual([["gradient norm"], ["learning rate"]]);
    const updates = [step(1, { grad_norm: 3, learning_rate: 0 }), step(2, { grad_norm: 2, learning_rate: 5e-6 })];
    expect(valuesOf(others[0], "gradient norm", updates)).toEqual([3, 2]);
    expect(valuesOf(others[1], "learning rate", updates)).toEqual([0, 5e-6]);
    expect(valuesOf(loss, "contrastive", logs)).toEqual([0.5, 0.4]);
    expect(valuesOf(loss, "smoothed", logs)?.[1]).toBeCloseTo(0.7 * 1 + 0.3 * 2);
  });

  it("draws held-out scores at the steps that have one", () => {
    const logs = [step(1, {}), step(2, {}), step(3, {})];
    const score = { epoch: 1, precision: 0.5, recall: 0.25, f1: 1 / 3, boundaryErrorRate: 0 };
    const charts = chartsOf(
      logs,
      { beta: 0.1 },
      [],
      [
        { ...score, step: 2 },
        { ...score, step: 3, f1: 0.4 },
      ],
    );
    expect(charts.map(({ title }) => title)).toEqual(["Loss", "Held-out F1", "Gradient norm", "Learning rate"]);
    expect(valuesOf(charts[1], "F1", logs)).toEqual([null, 1 / 3, 0.4]);
    expect(valuesOf(charts[1], "recall", logs)).toEqual([null, 0.25, 0.25]);
  });

  it("puts the reference beside the log-probabilities of DPO", () => {
    const logs = [
      step(1, {
        ...{ dpo_loss: 0.7, nll_loss: 1, "rewards/margins": 0.3, "rewards/accuracies": 0.5 },
        ...{ "rewards/chosen": 0.1, "rewards/rejected": -0.2, "logps/chosen": -4, "logps/rejected": -9 },
      }),
    ];
    const charts = chartsOf(logs, { beta: 0.1 });
    expect(charts.map(({ title }) => title)).toEqual([
      "Loss",
      "Reward margin",
      "Pairs put right",
      "Log-probability of answers",
      "Gradient norm",
      "Learning rate",
    ]);
    expect(valuesOf(charts[3], "chosen, reference", logs)?.[0]).toBeCloseTo(-5);
    expect(valuesOf(charts[3], "rejected, reference", logs)?.[0]).toBeCloseTo(-7);
  });

  it("lays the losses of other runs over, however long they are", () => {
    const logs = [step(1, {}), step(2, {})];
    const others = [{ name: "earlier", logs: [step(1, { loss: 9 }), step(2, { loss: 8 }), step(3, { loss: 7 })] }];
    const [loss] = chartsOf(logs, { beta: 0.1 }, others);
    expect(labels(loss)).toEqual(["loss", "smoothed", "earlier"]);
    if (loss === undefined) throw new Error("expected a chart");
    const [steps, own, , earlier] = dataOf(loss, logs);
    expect([steps, own, earlier]).toEqual([
      [1, 2, 3],
      [1, 2, null],
      [9, 8, 7],
    ]);
  });

  it("tells the lines of a chart apart without colour", () => {
    const all = step(1, { sft_loss: 1, contrastive_loss: 1, dpo_loss: 1, nll_loss: 1, "rewards/margins": 1 });
    for (const { title, series } of chartsOf([all], { beta: 0.1 }).slice(1)) {
      const looks = series.map(({ dash, width }) => `${dash.join()} ${width}`);
      expect(new Set(looks).size, title).toBe(series.length);
    }
  });
});

it("logsCsv has every column that a step logged", () => {
  expect(logsCsv([step(1, {}), step(2, { sft_loss: 0.5 })])).toBe(
    "step,epoch,loss,learning_rate,grad_norm,num_tokens,sft_loss\n1,0.5,1,0.0001,1,10,\n2,1,2,0.0001,1,20,0.5\n",
  );
});
