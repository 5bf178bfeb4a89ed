/** What differs between trainings: which settings are named, in which words, and what is said where nothing differs. */
import { describe, expect, test } from "vitest";
import { type ComparedState, compareStates, FRESH, type RecordedRun } from "./compareRuns.ts";
import { PRESETS } from "./presets.ts";

const { sft, dpo } = PRESETS;
const model = { id: "m", label: "OBP Mini" };
const data = { id: "0123456789", label: "12 documents" };
const run = (id: string, change: Partial<RecordedRun> = {}): RecordedRun => ({
  ...{ run: id, config: sft.quick, model, data, start: FRESH, steps: 24 },
  ...change,
});
const state = (name: string, made: ComparedState["made"]): ComparedState => ({ name, made });
const base = state("base", "base");
const text = (...states: ComparedState[]): string | undefined => compareStates(states)?.text;

test("settings that differ, with the values of each state in order", () => {
  const config = { ...sft.quick, learningRate: 1e-3, targets: ["q_proj", "v_proj"] as const, seed: 7 };
  const comparison = compareStates([state("a", run("a", { config })), base, state("b", run("b"))]);
  expect(comparison).toEqual({
    differences: [
      { setting: "learning rate", values: ["1e-3", "–", "2e-3"] },
      { setting: "targets", values: ["q v", "–", "q k v o"] },
      { setting: "seed", values: ["7", "–", "42"] },
    ],
    title: "Configurations",
    lines: ["learning rate 1e-3 | – | 2e-3", "targets q v | – | q k v o", "seed 7 | – | 42"],
    notes: ["base is not trained"],
    of: ["learning rate 1e-3; targets q v; seed 7", "not trained", "learning rate 2e-3; targets q k v o; seed 42"],
    text: "Configurations: learning rate 1e-3 | – | 2e-3; targets q v | – | q k v o; seed 7 | – | 42. base is not trained.",
  });
});

test("a stage's own settings are no difference from another stage; what each begins with is", () => {
  const first = state("SFT", run("a"));
  const second = state("DPO", run("b", { config: dpo.quick, start: { id: "a", label: "SFT" } }));
  expect(text(first, second)).toBe(
    "Configurations: stage SFT | DPO; begins with a fresh adapter | SFT; learning rate 2e-3 | 1e-4; epochs 8 | 3; dropout 0.05 | 0; β – | 0.1.",
  );
  const other = state("DPO 2", run("c", { config: { ...dpo.quick, beta: 0.5, dpopLambda: 5 }, start: FRESH }));
  expect(text(second, other)).toBe(
    "Configurations: begins with SFT | a fresh adapter; β 0.1 | 0.5; DPO-Positive λ 0 | 5.",
  );
});

test("the contrastive loss: on or off, and its own settings where both have it", () => {
  const on = { ...sft.quick, contrastiveWeight: 0.01 };
  expect(text(state("a", run("a")), state("b", run("b", { config: on })))).toBe(
    "Configurations: contrastive λ off | 0.01.",
  );
  const layer = { ...on, contrastiveLayer: 3, contrastiveRope: "post" as const };
  expect(text(state("a", run("a", { config: on })), state("b", run("b", { config: layer })))).toBe(
    "Configurations: contrastive layer default | 3; RoPE pre | post.",
  );
});

describe("nothing differs", () => {
  const again = { ...sft.quick, seed: 1, checkpointing: "layer" as const, saveSteps: 3 };
  test("but the seed", () => {
    expect(text(state("a", run("a")), state("b", run("b", { config: again })))).toBe(
      "Configurations: seed 42 | 1. Same configuration, other seed.",
    );
  });
  test("at all: how memory is saved does not count", () => {
    const same = { ...again, seed: 42 };
    const comparison = compareStates([state("a", run("a")), state("b", run("b", { config: same }))]);
    expect(comparison).toMatchObject({ text: "Same configuration and seed.", differences: [] });
    expect(comparison?.of).toEqual(["the same", "the same"]);
  });
  test("within one training, whose states differ in their steps", () => {
    expect(text(state("best", run("a", { steps: 6 })), state("last", run("a")))).toBe(
      "Configurations: steps 6 | 24. The same training.",
    );
  });
  test("in settings that an earlier version saved without packTokens", () => {
    const before = Object.fromEntries(Object.entries(sft.quick).filter(([name]) => name !== "packTokens"));
    expect(text(state("a", run("a", { config: before })), state("b", run("b")))).toBe(
      `Configurations: tokens a pass 0 | ${sft.quick.packTokens}.`,
    );
  });
});

test("data and models are told apart by what they are, not by their names", () => {
  const other = run("b", { data: { id: "abcdef0123", label: "12 documents" } });
  expect(text(state("a", run("a")), state("b", other))).toBe(
    "Configurations: training data 12 documents #012345 | 12 documents #abcdef.",
  );
  const elsewhere = run("d", { data: { ...data, id: "file", kind: "files" } });
  expect(text(state("a", run("a")), state("d", elsewhere))).toBe("Same configuration and seed.");
  const larger = run("c", { data: { id: "c", label: "24 documents" }, model: { id: "x", label: "SmolLM2" } });
  expect(text(state("a", run("a")), state("c", larger))).toBe(
    "Configurations: model OBP Mini | SmolLM2; training data 12 documents | 24 documents.",
  );
});

test("beside the model as it came a training says what it is", () => {
  const on = { ...sft.quick, contrastiveWeight: 0.01 };
  const comparison = compareStates([base, state("mine", run("a", { config: on }))]);
  expect(comparison?.text).toBe(
    "Configuration of mine: stage SFT; learning rate 2e-3; epochs 8; batch 4; rank 8; alpha 16; targets q k v o; contrastive λ 0.01; seed 42. base is not trained.",
  );
  expect(comparison?.differences[0]).toEqual({ setting: "stage", values: ["–", "SFT"] });
});

test("what is not recorded is said", () => {
  const imported = state("imported", "unknown");
  expect(text(base, imported)).toBe("base is not trained. Configuration of imported not recorded.");
  expect(text(state("a", run("a")), imported)).toBe("Configuration of imported not recorded.");
  expect(text(state("a", run("a")), state("b", run("b", { data: null })))).toBe(
    "Same configuration and seed. Training data not recorded.",
  );
  const config = { ...sft.quick, rank: 4 };
  const three = compareStates([state("a", run("a")), imported, state("b", run("b", { config }))]);
  expect(three?.text).toBe("Configurations: rank 8 | ? | 4. Configuration of imported not recorded.");
  expect(compareStates([base])).toBeNull();
});
