import { describe, expect, test } from "vitest";
import { PAPER_SFT } from "./config.ts";
import { parseSettings, parseTargets } from "./parseSettings.ts";

test("settings written as JSON are read again, all or some", () => {
  expect(parseSettings(JSON.parse(JSON.stringify(PAPER_SFT)), "c.json")).toEqual(PAPER_SFT);
  expect(parseSettings({ rank: 4, maxSteps: null }, "c.json")).toEqual({ rank: 4, maxSteps: null });
});

describe("targets", () => {
  test.each<[unknown, readonly string[]]>([
    ["qv", ["q_proj", "v_proj"]],
    [
      ["o_proj", "qkvo"],
      ["q_proj", "k_proj", "v_proj", "o_proj"],
    ],
    ["all-linear", ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]],
    [
      ["down_proj", "q_proj"],
      ["q_proj", "down_proj"],
    ],
  ])("%j", (names, targets) => {
    expect(parseTargets(names)).toEqual(targets);
    expect(parseSettings({ targets: names }, "c.json")).toEqual({ targets });
  });

  test.each([
    ["q_porj", / got "q_porj" \(did you mean q_proj\?\)$/],
    ["constructor", / got "constructor"$/],
  ])("%s is none", (name, message) => {
    expect(() => parseTargets(name)).toThrow(message);
  });
});

test.each<[unknown, string]>([
  [{ learning_rate: 1 }, "expected settings of training in c.json, got learning_rate (did you mean learningRate?)"],
  [{ contrastive_weight: 1 }, "got contrastive_weight (did you mean contrastiveWeight?)"],
  [{ Epochs: 1 }, "got Epochs (did you mean epochs?)"],
  [{ rnak: 1 }, "got rnak (did you mean rank?)"],
  [{ gradient_accumulation_steps: 8 }, "got gradient_accumulation_steps (here it is gradAccumSteps)"],
  [{ r: 8 }, "got r (here it is rank)"],
  [{ batch_norm_momentum: 1 }, "got batch_norm_momentum (known: stage, rank, alpha, "],
  [{ toString: 1 }, "got toString (known: stage, rank, alpha, "],
  [{ rank: "8" }, 'expected rank in c.json to be a number, got "8"'],
  [{ rank: null }, "expected rank in c.json to be a number, got null"],
  [{ maxSteps: "all" }, 'expected maxSteps in c.json to be a number, got "all"'],
  [{ rank: 1e9 }, "expected rank in c.json to be a whole number from 1 to 1024, got 1000000000"],
  [[1], "expected an object of settings in c.json, got [1]"],
  [null, "expected an object of settings in c.json, got null"],
])("%j is refused", (settings, message) => {
  expect(() => parseSettings(settings, "c.json")).toThrow(message);
});
