// The settings of a training: the range that makes sense and one line on what each does. Their paper values come from
// the engine's preset.

import type { TrainConfig } from "../../worker/protocol.ts";

type NumberKey =
  | "rank"
  | "alpha"
  | "dropout"
  | "learningRate"
  | "warmupRatio"
  | "epochs"
  | "gradAccumSteps"
  | "maxGradNorm"
  | "weightDecay"
  | "seed";

export interface NumberSetting {
  key: NumberKey;
  title: string;
  min: number;
  max: number;
  /** 1: whole numbers only. */
  step: number | "any";
  does: string;
}

export const NUMBER_SETTINGS: readonly NumberSetting[] = [
  { key: "epochs", title: "Epochs", min: 1, max: 100, step: 1, does: "How often every prompt is seen." },
  {
    key: "learningRate",
    title: "Learning rate",
    min: 1e-6,
    max: 1e-2,
    step: "any",
    does: "Peak of the linear schedule; higher learns faster and may diverge.",
  },
  {
    key: "gradAccumSteps",
    title: "Prompts a step",
    min: 1,
    max: 64,
    step: 1,
    does: "Gradients of so many prompts are averaged into one update.",
  },
  {
    key: "rank",
    title: "LoRA rank",
    min: 1,
    max: 64,
    step: 1,
    does: "Size of the adapter: what it can learn, and its memory.",
  },
  { key: "alpha", title: "LoRA alpha", min: 1, max: 128, step: 1, does: "The adapter is scaled by alpha / rank." },
  {
    key: "dropout",
    title: "LoRA dropout",
    min: 0,
    max: 0.5,
    step: "any",
    does: "Share of the adapter's inputs dropped, against overfitting.",
  },
  {
    key: "warmupRatio",
    title: "Warm-up",
    min: 0,
    max: 0.5,
    step: "any",
    does: "Share of the steps in which the learning rate rises.",
  },
  {
    key: "maxGradNorm",
    title: "Gradient clipping",
    min: 0.01,
    max: 100,
    step: "any",
    does: "Largest global norm of a step's gradient.",
  },
  {
    key: "weightDecay",
    title: "Weight decay",
    min: 0,
    max: 0.5,
    step: "any",
    does: "Pulls the adapter's weights towards zero.",
  },
  {
    key: "seed",
    title: "Seed",
    min: 0,
    max: 4294967295,
    step: 1,
    does: "Initial weights, order and dropout: the same seed repeats a run.",
  },
];

export const TARGET_PRESETS: Readonly<Record<string, TrainConfig["targets"]>> = {
  "q, v": ["q_proj", "v_proj"],
  "q, k, v, o": ["q_proj", "k_proj", "v_proj", "o_proj"],
  "all linear": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
};

/** What is wrong with a value, or null. */
export function settingProblem({ title, min, max, step }: NumberSetting, value: number): string | null {
  if (!Number.isFinite(value)) return `expected a number for ${title}`;
  if (step === 1 && !Number.isInteger(value)) return `expected a whole number for ${title}, got ${value}`;
  return value < min || value > max ? `expected ${title} from ${min} to ${max}, got ${value}` : null;
}

export function configProblem(config: TrainConfig): string | null {
  for (const setting of NUMBER_SETTINGS) {
    const problem = settingProblem(setting, config[setting.key]);
    if (problem !== null) return problem;
  }
  const { maxSteps } = config;
  const stepsAreRight = maxSteps === null || (Number.isInteger(maxSteps) && maxSteps >= 1);
  return stepsAreRight ? null : `expected a whole number of at least 1 for the step limit, got ${maxSteps}`;
}
