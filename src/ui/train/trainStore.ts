// The settings of the next training, and what it is to learn from.

import { create } from "zustand";
import type { AdapterRecord } from "../../storage/database.ts";
import type { Project, ProjectDocument } from "../../storage/project.ts";
import type { TrainConfig, TrainRequest } from "../../worker/protocol.ts";
import { studio } from "../stores/engineStore.ts";
import { configProblem, type StudioStage } from "./settings.ts";

export type PresetName = "quick" | "paper" | "mine";

interface TrainState {
  stage: StudioStage;
  /** The adapter that DPO is to begin with; null: the newest that can. */
  parent: string | null;
  /** Null until the engine has told its presets. */
  presets: Readonly<Record<StudioStage, Readonly<Record<"quick" | "paper", TrainConfig>>>> | null;
  preset: PresetName;
  /** What "my settings" are, of each stage. */
  mine: Readonly<Record<StudioStage, TrainConfig | null>>;
  evaluate: TrainRequest["evaluate"];
  /** Runs whose loss is drawn beside the one on the chart. */
  overlaid: readonly string[];
  /** At most so many held-out sentences are predicted; null: all. */
  heldoutLimit: number | null;
  loadPresets(): Promise<void>;
  choosePreset(preset: PresetName): void;
  change(patch: Partial<TrainConfig>): void;
}

export const useTrain = create<TrainState>()((set, get) => ({
  stage: "sft",
  parent: null,
  presets: null,
  preset: "quick",
  mine: { sft: null, dpo: null },
  evaluate: "epoch",
  overlaid: [],
  heldoutLimit: null,
  async loadPresets() {
    if (get().presets === null) set({ presets: await studio().presets() });
  },
  choosePreset(preset) {
    const { mine, stage } = get();
    const config = currentConfig(get());
    set(preset === "mine" && mine[stage] === null ? { preset, mine: { ...mine, [stage]: config } } : { preset });
  },
  /** Any change makes the settings one's own, beginning from the preset that was on. */
  change(patch) {
    const { mine, stage } = get();
    const config = currentConfig(get());
    if (config !== null) set({ preset: "mine", mine: { ...mine, [stage]: { ...config, ...patch } } });
  },
}));

export function currentConfig({ presets, preset, mine, stage }: TrainState): TrainConfig | null {
  const own = preset === "mine" ? mine[stage] : null;
  return own ?? presets?.[stage][preset === "paper" ? "paper" : "quick"] ?? null;
}

export function supportSet(project: Project): ProjectDocument[] {
  return project.documents.filter(({ split, done }) => split === "train" && done);
}

export function heldoutSet(project: Project, limit: number | null): ProjectDocument[] {
  return project.documents.filter(({ split, done }) => split === "heldout" && done).slice(0, limit ?? undefined);
}

/** Why training cannot start, in one sentence with what to do, or null. */
export function trainingProblem(project: Project, config: TrainConfig, parent: AdapterRecord | null): string | null {
  if (config.stage === "dpo" && parent === null) {
    return "expected an SFT adapter for DPO to begin with, got none (train the stage SFT first, or import an adapter under Models)";
  }
  return planProblem(project, config);
}

/** Why it cannot even be said what training would take, or null. */
export function planProblem(project: Project, config: TrainConfig): string | null {
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
  return configProblem(config);
}
