import { describe, expect, it } from "vitest";
import type { TrainConfig } from "../../worker/protocol.ts";
import { knownSpeed, measuredSource, stepSeconds } from "./timeEstimate.ts";

const config: TrainConfig = {
  ...{ stage: "sft", rank: 8, alpha: 16, dropout: 0.05, targets: ["q_proj", "v_proj"], learningRate: 1e-3 },
  ...{
    warmupRatio: 0,
    epochs: 2,
    gradAccumSteps: 4,
    packTokens: 512,
    maxGradNorm: 1,
    weightDecay: 0,
    seed: 1,
    maxSteps: null,
  },
  ...{
    checkpointing: "layer",
    checkpointPrecision: "f32",
    saveSteps: 20,
    evalEvery: null,
    earlyStopping: null,
    contrastiveWeight: 0,
  },
  ...{ contrastiveLayer: null, contrastivePooling: "mean", contrastiveRope: "pre", beta: 0.1, sftAlpha: 0.2 },
  ...{ dpopLambda: 0, boundaryKinds: [], chosenDropAlarm: 5, absentShare: 0.25, maxLength: 512 },
};
const log = { step: 1, epoch: 1, loss: 1, learning_rate: 1, grad_norm: 1, num_tokens: 1 };
const logs = [1, 2, 3, 4].map((step) => ({ ...log, step, num_tokens: 100 * step }));
const run = { name: "Notes 1", model: "m", config, seconds: 20, logs };
const steps = { secondsPerToken: 0.01, tokensPerStep: 400, totalSteps: 50 };
const measured = { kind: "measured", model: "m", config, corpora: ["a", "b"], steps } as const;

describe("knownSpeed", () => {
  it("is the measurement's, else an earlier run's", () => {
    expect(knownSpeed("m", config, measured, [run])).toEqual({ secondsPerToken: 0.01, run: null });
    expect(knownSpeed("m", config, null, [run])).toEqual({ secondsPerToken: 0.05, run: "Notes 1" });
    expect(knownSpeed("m", config, null, [])).toBeNull();
  });

  it("holds for other rates and epochs, in any order of targets", () => {
    const other: TrainConfig = { ...config, learningRate: 1e-5, epochs: 9, targets: ["v_proj", "q_proj"] };
    expect(knownSpeed("m", other, measured, [])?.secondsPerToken).toBe(0.01);
  });

  it("does not hold for another model, rank, stage or loss, or where a run was too short to tell", () => {
    expect(knownSpeed("n", config, measured, [run])).toBeNull();
    for (const change of [
      { rank: 4 },
      { stage: "dpo" },
      { contrastiveWeight: 0.01 },
      { checkpointing: "none" },
    ] as const) {
      expect(knownSpeed("m", { ...config, ...change }, measured, [run]), JSON.stringify(change)).toBeNull();
    }
    expect(knownSpeed("m", config, null, [{ ...run, logs: logs.slice(0, 3) }])).toBeNull();
  });
});

it("stepSeconds counts every epoch's tokens, and a step limit's share of one", () => {
  const plan = { tokens: 1000, prompts: 10, steps: 6 };
  const speed = { secondsPerToken: 0.01, run: null };
  expect(stepSeconds(plan, config, speed)).toBeCloseTo(20);
  expect(stepSeconds({ ...plan, steps: 1 }, config, speed)).toBeCloseTo(10 / 3);
});

describe("measuredSource", () => {
  const corpora = ["a", "b"];

  it("is that of the steps which the corpora turned out to give", () => {
    expect(measuredSource("m", { ...config, learningRate: 1 }, corpora, measured)).toEqual({
      steps: 50,
      tokens: 20_000,
      seconds: 200,
    });
  });

  it("is unknown for other corpora, prompts, steps or models", () => {
    expect(measuredSource("m", config, ["a"], measured)).toBeNull();
    expect(measuredSource("n", config, corpora, measured)).toBeNull();
    expect(measuredSource("m", config, corpora, null)).toBeNull();
    for (const change of [
      { rank: 4 },
      { epochs: 3 },
      { maxSteps: 9 },
      { absentShare: 1 },
      { maxLength: 64 },
    ] as const) {
      expect(measuredSource("m", { ...config, ...change }, corpora, measured), JSON.stringify(change)).toBeNull();
    }
  });
});
