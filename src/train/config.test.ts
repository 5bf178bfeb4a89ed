import { describe, expect, test } from "vitest";
import { checkTrainConfig, PAPER_SFT, STAGES } from "./config.ts";
import { PRESETS, STAGE_DEFAULTS } from "./presets.ts";

describe("presets", () => {
  test.each(STAGES)("all of the stage %s are sound, and its own", (stage) => {
    for (const config of [STAGE_DEFAULTS[stage], PRESETS[stage].quick, PRESETS[stage].paper]) {
      expect(() => checkTrainConfig(config)).not.toThrow();
      expect(config.stage).toBe(stage);
    }
  });

  test("the paper's values (section 4.3; method.md)", () => {
    const { source, sft, dpo } = PRESETS;
    const paper = [source.paper, sft.paper, dpo.paper];
    expect(paper.map(({ learningRate }) => learningRate)).toEqual([3e-4, 3e-4, 5e-6]);
    expect(paper.map(({ dropout }) => dropout)).toEqual([0.05, 0.05, 0]);
    expect(paper.map(({ epochs }) => epochs)).toEqual([1, 5, 3]);
    expect(paper.map(({ contrastiveWeight }) => contrastiveWeight)).toEqual([0, 0.01, 0]);
    expect(paper.map(({ warmupRatio, gradAccumSteps }) => [warmupRatio, gradAccumSteps])).toEqual([
      [0.1, 4],
      [0.1, 4],
      [0.1, 4],
    ]);
    expect(dpo.paper).toMatchObject({ beta: 0.1, sftAlpha: 0.2, dpopLambda: 0, chosenDropAlarm: 5 });
    expect(dpo.paper.boundaryKinds).toEqual(["shift-left", "shift-right", "expand-both"]);
  });

  test("nothing said, and a first look, leave the contrastive loss off", () => {
    expect([PAPER_SFT.contrastiveWeight, PRESETS.sft.quick.contrastiveWeight]).toEqual([0, 0]);
  });
});

describe("a setting out of its range is named", () => {
  const is = (changes: Readonly<Record<string, unknown>>) => () => checkTrainConfig({ ...PAPER_SFT, ...changes });

  test.each<[Readonly<Record<string, unknown>>, string]>([
    [{ rank: 0 }, "expected rank to be a whole number from 1 to 1024, got 0"],
    [{ rank: 1.5 }, "expected rank to be a whole number from 1 to 1024, got 1.5"],
    [{ alpha: Infinity }, "expected alpha to be a number above 0, got Infinity"],
    [{ dropout: 1 }, "expected dropout to be at least 0 and below 1, got 1"],
    [{ learningRate: NaN }, "expected learningRate to be a number, got NaN"],
    [
      { targets: [] },
      "expected targets to be some of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, got []",
    ],
    [{ targets: ["lm_head"] }, "expected targets to be some of q_proj, "],
    [{ warmupRatio: 1.1 }, "expected warmupRatio to be from 0 to 1, got 1.1"],
    [{ seed: 2 ** 32 }, "expected seed to be a whole number below 2³², got 4294967296"],
    [{ maxSteps: 0 }, "expected maxSteps to be a whole number from 1, got 0"],
    [{ checkpointing: "all" }, 'expected checkpointing to be "auto", "none", "layer" or a number of layers, got "all"'],
    [{ saveSteps: 0 }, "expected saveSteps to be a whole number from 1, got 0"],
    [{ contrastiveLayer: -1 }, "expected contrastiveLayer to be a layer, a whole number from 0, got -1"],
    [{ contrastivePooling: "max" }, 'expected contrastivePooling to be "mean" or "ancestor", got "max"'],
    [{ stage: "rlhf" }, 'expected stage to be "source" or "sft" or "dpo", got "rlhf"'],
    [{ stage: "dpo", beta: 0 }, "expected beta to be a number above 0, got 0"],
    [{ stage: "dpo", boundaryKinds: ["shift"] }, "expected boundaryKinds to be some of shift-left, shift-right, "],
    [{ stage: "source", absentShare: -0.1 }, "expected absentShare to be from 0 to 1, got -0.1"],
    [{ epochs: undefined }, "expected epochs to be a number, got nothing"],
  ])("%j", (changes, message) => {
    expect(is(changes)).toThrow(message);
  });

  test("one that the stage does not read is an error, not passed over", () => {
    expect(is({ beta: 0.3 })).toThrow("expected beta to be 0.1 in the stage sft, got 0.3 (a setting of dpo)");
    expect(is({ stage: "dpo", contrastiveWeight: 0.01 })).toThrow(
      "expected contrastiveWeight to be 0 in the stage dpo, got 0.01 (a setting of source and sft)",
    );
    expect(is({ stage: "dpo", beta: 0.3 })).not.toThrow();
    expect(is({ stage: "source", contrastiveWeight: 0.01, maxLength: 100 })).not.toThrow();
  });
});
