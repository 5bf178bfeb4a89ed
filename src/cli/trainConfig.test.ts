import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { PAPER_SFT, type Stage, type TrainConfig } from "../train/config.ts";
import { PRESETS, STAGE_DEFAULTS } from "../train/presets.ts";
import { parseVerb } from "./parse.ts";
import { trainConfig, trainConfigFlags } from "./trainConfig.ts";
import type { FlagValues } from "./verb.ts";

const folder = mkdtempSync(join(tmpdir(), "obp-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const adapter = { rank: 4, alpha: 32, dropout: 0.2, targets: ["q_proj", "v_proj"] } as const;

/** The settings that a command line gives. */
function of(stage: Stage, words: readonly string[], start: typeof adapter | null = null): TrainConfig {
  const verb = { positionals: {}, flags: trainConfigFlags, example: "", run: () => Promise.reject(new Error()) };
  const { flags } = parseVerb(verb, words);
  return trainConfig({ ...(flags as FlagValues<typeof trainConfigFlags>), stage }, start);
}

function file(settings: unknown): string {
  const path = join(folder, "c.json");
  writeFileSync(path, JSON.stringify(settings));
  return path;
}

test.each(["source", "sft", "dpo"] as const)("nothing said: the defaults of the stage %s", (stage) => {
  expect(of(stage, [])).toEqual(STAGE_DEFAULTS[stage]);
});

describe("flags", () => {
  test.each<[Stage, string[], Partial<TrainConfig>]>([
    [
      "sft",
      ["--contrastive-weight", "0.01", "--contrastive-layer", "3"],
      { contrastiveWeight: 0.01, contrastiveLayer: 3 },
    ],
    ["sft", ["--pooling", "ancestor", "--rope", "post"], { contrastivePooling: "ancestor", contrastiveRope: "post" }],
    [
      "sft",
      ["--save-steps", "5", "--eval-every", "10", "--early-stopping", "2"],
      { saveSteps: 5, evalEvery: 10, earlyStopping: 2 },
    ],
    ["sft", ["--targets", "qv,o_proj"], { targets: ["q_proj", "v_proj", "o_proj"] }],
    ["dpo", ["--beta", "0.5", "--sft-alpha", "0", "--dpop-lambda", "50"], { beta: 0.5, sftAlpha: 0, dpopLambda: 50 }],
    ["dpo", ["--chosen-drop-alarm", "2"], { chosenDropAlarm: 2 }],
    ["source", ["--absent-share", "1", "--max-length", "256"], { absentShare: 1, maxLength: 256 }],
  ])("%s %j", (stage, words, settings) => {
    expect(of(stage, words)).toEqual({ ...STAGE_DEFAULTS[stage], ...settings });
  });

  test("a preset takes the place of the defaults, below the file and the flags", () => {
    expect(of("sft", ["--preset", "paper"])).toEqual({ ...PAPER_SFT, contrastiveWeight: 0.01 });
    expect(of("dpo", ["--preset", "quick"])).toEqual(PRESETS.dpo.quick);
    const config = of("source", ["--preset", "quick", "--config", file({ rank: 2 }), "--max-steps", "9"]);
    expect(config).toEqual({ ...PRESETS.source.quick, rank: 2, maxSteps: 9 });
    expect(() => of("sft", ["--preset", "papr"])).toThrow(/expected .*quick.*paper.*papr/);
  });

  test("stand above the file, the file above the defaults", () => {
    const path = file({ rank: 2, epochs: 1, targets: "all-linear" });
    const config = of("sft", ["--config", path, "--rank", "6"]);
    expect(config).toMatchObject({ rank: 6, epochs: 1, learningRate: PAPER_SFT.learningRate });
    expect(config.targets).toHaveLength(7);
  });

  test("of another stage are refused", () => {
    expect(() => of("sft", ["--beta", "1"])).toThrow(
      "expected beta to be 0.1 in the stage sft, got 1 (a setting of dpo)",
    );
    expect(() => of("dpo", ["--config", file({ stage: "sft" })])).toThrow(
      /expected settings of the stage dpo in .*, got "sft"/,
    );
  });
});

describe("an adapter to go on from", () => {
  test("gives rank, alpha and targets", () => {
    expect(of("sft", [], adapter)).toEqual({ ...PAPER_SFT, ...adapter });
    expect(() => of("sft", ["--rank", "8"], adapter)).toThrow("expected rank 4, that of the adapter, got 8");
  });

  test("does not bring its dropout into DPO", () => {
    expect(of("dpo", [], adapter)).toMatchObject({ rank: 4, dropout: 0 });
    expect(of("dpo", ["--dropout", "0.1"], adapter)).toMatchObject({ dropout: 0.1 });
  });
});
