import { describe, expect, it } from "vitest";
import { PRESETS } from "../../train/presets.ts";
import { choicesText, currentConfig, keptChoices, useTrain } from "./trainStore.ts";

describe("what was chosen", () => {
  it("is there on the next visit: one's own settings, stages, what is predicted", () => {
    useTrain.setState({ presets: PRESETS, on: { source: true, sft: true, dpo: false }, heldoutLimit: 5 });
    useTrain.getState().choosePreset("paper");
    useTrain.getState().change({ rank: 16, maxSteps: 9 });
    useTrain.setState({ evaluate: "never" });
    const kept = keptChoices(choicesText(useTrain.getState()), PRESETS);
    expect(kept).toMatchObject({ preset: "mine", stage: "sft", heldoutLimit: 5, evaluate: "never" });
    expect(kept.on).toEqual({ source: true, sft: true, dpo: false });
    useTrain.setState({ mine: { source: null, sft: null, dpo: null }, preset: "quick" });
    useTrain.setState(kept);
    expect(currentConfig(useTrain.getState())).toEqual({ ...PRESETS.sft.paper, rank: 16, maxSteps: 9 });
    expect(kept.mine?.dpo).toEqual(PRESETS.dpo.paper);
  });

  it("that does not hold any more is passed over", () => {
    const nothing = { mine: { source: null, sft: null, dpo: null } };
    for (const text of [null, "{", "3", "null", `{"mine":7,"on":{"sft":1},"evaluate":"often","heldoutLimit":-1}`]) {
      expect(keptChoices(text, PRESETS), `${text}`).toEqual(nothing);
    }
    expect(keptChoices(`{"preset":"mine","stage":"rl"}`, PRESETS)).toEqual(nothing);
    const mine = { sft: { rank: 4, epochs: "many" } };
    expect(keptChoices(JSON.stringify({ mine }), PRESETS).mine?.sft).toEqual({ ...PRESETS.sft.quick, rank: 4 });
  });
});
