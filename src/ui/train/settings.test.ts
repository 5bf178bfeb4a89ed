import { describe, expect, it } from "vitest";
import { checkTrainConfig } from "../../train/config.ts";
import { PRESETS } from "../../train/presets.ts";
import {
  configProblem,
  settingProblem,
  SETTINGS,
  settingsOf,
  soundConfig,
  type Stage,
  STAGES,
  targetsName,
} from "./settings.ts";

const { sft } = PRESETS;

describe("settings", () => {
  it("take every preset of every stage", () => {
    const presets = STAGES.flatMap((stage) => [PRESETS[stage].quick, PRESETS[stage].paper]);
    for (const config of presets) expect(configProblem(config)).toBeNull();
  });

  it("show each stage what it reads, and nothing of the others", () => {
    const keys = (stage: Stage): string[] => settingsOf(stage).map(({ key }) => key);
    expect(keys("source")).toEqual(expect.arrayContaining(["absentShare", "maxLength", "contrastiveWeight", "rank"]));
    expect(keys("sft")).not.toContain("absentShare");
    expect(keys("sft")).toContain("contrastiveWeight");
    expect(keys("sft")).not.toContain("beta");
    expect(keys("dpo")).toEqual(expect.arrayContaining(["beta", "boundaryKinds", "saveSteps"]));
    expect(keys("dpo")).not.toContain("rank");
    for (const stage of STAGES) expect(new Set(keys(stage)).size).toBe(keys(stage).length);
  });

  it.each(SETTINGS.filter(({ kind }) => kind === "number"))("$title: its ends are what the engine takes", (setting) => {
    if (setting.kind !== "number") return;
    for (const config of setting.stages.map((stage) => PRESETS[stage].paper)) {
      for (const value of [setting.min, setting.max]) {
        expect(() => checkTrainConfig({ ...config, [setting.key]: value })).not.toThrow();
        expect(settingProblem(setting, { ...config, [setting.key]: value })).toBeNull();
      }
      expect(settingProblem(setting, { ...config, [setting.key]: setting.max * 2 })).toContain(setting.title);
      expect(settingProblem(setting, { ...config, [setting.key]: NaN })).toBe(`expected a number for ${setting.title}`);
    }
  });

  it("name what is wrong", () => {
    expect(configProblem({ ...sft.quick, rank: 2.5 })).toBe("expected a whole number for LoRA rank, got 2.5");
    expect(configProblem({ ...sft.quick, contrastiveWeight: -1 })).toBe(
      "expected Contrastive weight from 0 to 10, got -1",
    );
    expect(configProblem({ ...sft.quick, contrastiveLayer: -1 })).toBe(
      "expected a whole number of at least 0 for Contrastive layer, got -1",
    );
    expect(configProblem({ ...sft.quick, maxSteps: 0 })).toContain("Step limit");
  });

  it("that were kept are taken where they still hold", () => {
    const own = { ...sft.paper, rank: 16, targets: ["q_proj", "up_proj"], maxSteps: 7, checkpointing: "none" } as const;
    expect(soundConfig(JSON.parse(JSON.stringify(own)), sft.quick)).toEqual(own);
    const old = { rank: "16", epochs: NaN, targets: ["q"], checkpointing: "some", maxSteps: -1, unknown: 1, beta: 3 };
    expect(soundConfig({ ...old, learningRate: 1e-3 }, sft.quick)).toEqual({ ...sft.quick, learningRate: 1e-3 });
    expect(soundConfig({ boundaryKinds: ["shift"] }, PRESETS.dpo.quick)).toEqual(PRESETS.dpo.quick);
    for (const nothing of [null, 3, "settings"]) expect(soundConfig(nothing, sft.quick)).toEqual(sft.quick);
  });

  it("leave nothing of the configuration out", () => {
    const shown = new Set(SETTINGS.map(({ key }) => key as string));
    expect(Object.keys(sft.paper).filter((key) => !shown.has(key))).toEqual(["stage"]);
  });

  it("names sets of targets whatever their order", () => {
    expect(targetsName(["v_proj", "q_proj"])).toBe("q, v");
    expect(targetsName(["q_proj"])).toBe("q_proj");
  });
});
