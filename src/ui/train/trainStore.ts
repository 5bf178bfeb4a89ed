// The settings of the next training, and what it is to learn from.

import { create } from "zustand";
import type { Project, ProjectDocument } from "../../storage/project.ts";
import type { TrainConfig, TrainRequest } from "../../worker/protocol.ts";
import type { StudioClient } from "../../worker/client.ts";
import { configProblem, soundConfig, type Stage, STAGES } from "./settings.ts";
import type { Parents } from "./startAdapter.ts";

export type PresetName = "quick" | "paper" | "mine";

type Presets = Readonly<Record<Stage, Readonly<Record<"quick" | "paper", TrainConfig>>>>;

/** What is kept for the next visit. */
type Choices = Pick<TrainState, "stage" | "on" | "preset" | "mine" | "evaluate" | "heldoutLimit">;

const KEPT_KEY = "obp.train";

interface TrainState {
  /** Whose settings are shown. */
  stage: Stage;
  /** Those that are trained, each beginning with the adapter of the one before. */
  on: Readonly<Record<Stage, boolean>>;
  /** The adapter that the first of them is to begin with. */
  parents: Parents;
  /** Null until the engine has told its presets. */
  presets: Presets | null;
  preset: PresetName;
  /** What "my settings" are, of each stage. */
  mine: Readonly<Record<Stage, TrainConfig | null>>;
  evaluate: TrainRequest["evaluate"];
  /** Runs whose loss is drawn beside the one on the chart. */
  overlaid: readonly string[];
  /** At most so many held-out sentences are predicted; null: all. */
  heldoutLimit: number | null;
  loadPresets(client: StudioClient): Promise<void>;
  /** Puts a stage on or off; one that is put on is shown. */
  include(stage: Stage, on: boolean): void;
  choosePreset(preset: PresetName): void;
  change(patch: Partial<TrainConfig>): void;
}

export const useTrain = create<TrainState>()((set, get) => ({
  stage: "sft",
  on: { source: false, sft: true, dpo: false },
  parents: { sft: null, dpo: null },
  presets: null,
  preset: "quick",
  mine: { source: null, sft: null, dpo: null },
  evaluate: "epoch",
  overlaid: [],
  heldoutLimit: null,
  async loadPresets(client) {
    if (get().presets !== null) return;
    const presets = await client.presets();
    if (get().presets !== null) return; // asked for twice
    set({ presets, ...keptChoices(localStorage.getItem(KEPT_KEY), presets) });
    useTrain.subscribe((state) => localStorage.setItem(KEPT_KEY, choicesText(state)));
  },
  include(stage, on) {
    set({ on: { ...get().on, [stage]: on }, ...(on ? { stage } : {}) });
  },
  choosePreset(preset) {
    set(preset === "mine" ? { preset, mine: allMine(get()) } : { preset });
  },
  /** Any change makes the settings one's own, beginning from the preset that was on. */
  change(patch) {
    const { stage } = get();
    const config = currentConfig(get());
    if (config !== null) set({ preset: "mine", mine: { ...allMine(get()), [stage]: { ...config, ...patch } } });
  },
}));

/** What a person chose, as text for the next visit. */
export function choicesText({ stage, on, preset, mine, evaluate, heldoutLimit }: Choices): string {
  return JSON.stringify({ stage, on, preset, mine, evaluate, heldoutLimit } satisfies Choices);
}

/** What was kept, so far as it still holds. @param text null: nothing was */
export function keptChoices(text: string | null, presets: Presets): Partial<Choices> {
  const kept = parsed(text);
  const own = (kept.mine ?? {}) as Partial<Record<Stage, unknown>>;
  const mineOf = (stage: Stage): TrainConfig | null => {
    const config = own[stage] ?? null;
    return config === null ? null : soundConfig(config, presets[stage].quick);
  };
  const mine = { source: mineOf("source"), sft: mineOf("sft"), dpo: mineOf("dpo") };
  const { stage, preset, on, evaluate, heldoutLimit } = kept;
  return {
    mine,
    ...(STAGES.some((one) => one === stage) && { stage: stage as Stage }),
    ...(preset === "paper" && { preset }),
    ...(preset === "mine" && STAGES.every((one) => mine[one] !== null) && { preset }),
    ...(isOn(on) && { on }),
    ...((evaluate === "epoch" || evaluate === "end" || evaluate === "never") && { evaluate }),
    ...(Number.isInteger(heldoutLimit) && Number(heldoutLimit) > 0 && { heldoutLimit: Number(heldoutLimit) }),
  };
}

function parsed(text: string | null): Partial<Record<keyof Choices, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function isOn(value: unknown): value is Choices["on"] {
  return (
    typeof value === "object" &&
    value !== null &&
    STAGES.every((stage) => typeof Reflect.get(value, stage) === "boolean")
  );
}

/** One's own settings of all stages: those that there are none of yet begin from the preset that is on. */
function allMine(state: TrainState): TrainState["mine"] {
  const { source, sft, dpo } = state.mine;
  return {
    source: source ?? configOf(state, "source"),
    sft: sft ?? configOf(state, "sft"),
    dpo: dpo ?? configOf(state, "dpo"),
  };
}

export function configOf({ presets, preset, mine }: TrainState, stage: Stage): TrainConfig | null {
  const own = preset === "mine" ? mine[stage] : null;
  return own ?? presets?.[stage][preset === "paper" ? "paper" : "quick"] ?? null;
}

/** Of the stage that is shown. */
export function currentConfig(state: TrainState): TrainConfig | null {
  return configOf(state, state.stage);
}

/** The stage whose adapter another one begins with; null where it is the first, or off. */
export function stageBefore({ on }: Pick<TrainState, "on">, stage: Stage): Stage | null {
  if (!on[stage]) return null;
  return STAGES.slice(0, STAGES.indexOf(stage)).findLast((earlier) => on[earlier]) ?? null;
}

export function supportSet(project: Project): ProjectDocument[] {
  return project.documents.filter(({ split, done }) => split === "train" && done);
}

export function heldoutSet(project: Project, limit: number | null): ProjectDocument[] {
  return project.documents.filter(({ split, done }) => split === "heldout" && done).slice(0, limit ?? undefined);
}

/** Why it cannot even be said what training on the support set would take, or null. */
export function planProblem(project: Project, config: TrainConfig): string | null {
  return supportProblem(project) ?? configProblem(config);
}

/** Why nothing can be learned from the project's own sentences, or null. */
export function supportProblem(project: Project): string | null {
  const support = supportSet(project);
  if (support.length === 0) {
    return "expected at least one support sentence marked done, got none (label some under Label; Space marks one done)";
  }
  if (project.types.length === 0) return "expected at least one type, got none (add one under Label)";
  const undefinedType = project.types.find(({ definition }) => definition.trim() === "");
  if (undefinedType !== undefined) {
    return `expected a definition of ${undefinedType.name}, got none (write one under Label: the prompt quotes it)`;
  }
  if (support.every(({ entities }) => entities.length === 0)) {
    return "expected at least one labelled entity in the support set, got none";
  }
  return null;
}
