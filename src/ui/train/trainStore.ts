// The settings of the next training, and what it is to learn from.

import { create } from "zustand";
import type { Project, ProjectDocument } from "../../storage/project.ts";
import type { TrainConfig, TrainRequest } from "../../worker/protocol.ts";
import { studio } from "../stores/engineStore.ts";
import { configProblem } from "./settings.ts";

export type PresetName = "quick" | "paper" | "mine";

interface TrainState {
  /** Null until the engine has told its presets. */
  presets: { quick: TrainConfig; paper: TrainConfig } | null;
  preset: PresetName;
  /** What "my settings" are. */
  mine: TrainConfig | null;
  evaluate: TrainRequest["evaluate"];
  /** At most so many held-out sentences are predicted; null: all. */
  heldoutLimit: number | null;
  loadPresets(): Promise<void>;
  change(patch: Partial<TrainConfig>): void;
}

export const useTrain = create<TrainState>()((set, get) => ({
  presets: null,
  preset: "quick",
  mine: null,
  evaluate: "epoch",
  heldoutLimit: null,
  async loadPresets() {
    if (get().presets === null) set({ presets: (await studio().presets()).sft });
  },
  /** Any change makes the settings one's own, beginning from the preset that was on. */
  change(patch) {
    const config = currentConfig(get());
    if (config !== null) set({ preset: "mine", mine: { ...config, ...patch } });
  },
}));

export function currentConfig({ presets, preset, mine }: TrainState): TrainConfig | null {
  if (preset === "mine" && mine !== null) return mine;
  return presets === null ? null : presets[preset === "paper" ? "paper" : "quick"];
}

export function supportSet(project: Project): ProjectDocument[] {
  return project.documents.filter(({ split, done }) => split === "train" && done);
}

export function heldoutSet(project: Project, limit: number | null): ProjectDocument[] {
  return project.documents.filter(({ split, done }) => split === "heldout" && done).slice(0, limit ?? undefined);
}

/** Why training cannot start, in one sentence with what to do, or null. */
export function trainingProblem(project: Project, config: TrainConfig): string | null {
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
