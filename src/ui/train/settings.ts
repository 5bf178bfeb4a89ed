// The settings of a training: the range that makes sense and one line on what each does. Their paper values come from
// the engine's preset.

import { BOUNDARY_EDITS } from "../../ner/boundaryEdits.ts";
import type { TrainConfig } from "../../worker/protocol.ts";

/** In the order in which they are trained. */
export const STAGES = ["source", "sft", "dpo"] as const satisfies readonly TrainConfig["stage"][];
export type Stage = (typeof STAGES)[number];

export const STAGE_TITLES: Readonly<Record<Stage, string>> = {
  source: "Source",
  sft: "SFT + contrastive",
  dpo: "DPO",
};

/** Settings whose value is of a type. */
type KeyOf<T> = { [Name in keyof TrainConfig]-?: TrainConfig[Name] extends T ? Name : never }[keyof TrainConfig];
type NumberKey = KeyOf<number>;
type OptionalKey = Exclude<KeyOf<number | null>, NumberKey>;

interface About {
  title: string;
  does: string;
  /** That read it. */
  stages: readonly Stage[];
  /** Behind the "Advanced" disclosure. */
  advanced: boolean;
}

interface Range {
  min: number;
  max: number;
  /** 1: whole numbers only. */
  step: number | "any";
}

export interface NumberSetting extends About, Range {
  kind: "number";
  key: NumberKey;
}

/** A whole number, or nothing. */
export interface OptionalSetting extends About {
  kind: "optional";
  key: OptionalKey;
  min: number;
  /** What is meant where it is empty. */
  empty: string;
}

export interface ChoiceSetting extends About {
  kind: "choice";
  key: "contrastivePooling" | "contrastiveRope" | "checkpointing" | "checkpointPrecision";
  choices: Readonly<Record<string, string>>;
}

export interface TargetsSetting extends About {
  kind: "targets";
  key: "targets";
}

export interface KindsSetting extends About {
  kind: "kinds";
  key: "boundaryKinds";
}

export type Setting = NumberSetting | OptionalSetting | ChoiceSetting | TargetsSetting | KindsSetting;

const everywhere = { stages: STAGES, advanced: false } as const;
const source = { stages: ["source"], advanced: false } as const;
/** The stages that learn from prompts. */
const prompts = { stages: ["source", "sft"], advanced: false } as const;
const dpo = { stages: ["dpo"], advanced: false } as const;
const advanced = { advanced: true } as const;

export const SETTINGS: readonly Setting[] = [
  number("epochs", "Epochs", [1, 100, 1], "How often every prompt or pair is seen.", everywhere),
  number(
    "learningRate",
    "Learning rate",
    [1e-7, 1e-2, "any"],
    "Peak of the linear schedule; higher learns faster and may diverge.",
    everywhere,
  ),
  number(
    "gradAccumSteps",
    "Prompts a step",
    [1, 64, 1],
    "Gradients of so many prompts are averaged into one update.",
    prompts,
  ),
  number("gradAccumSteps", "Pairs a step", [1, 64, 1], "Gradients of so many pairs are averaged into one update.", dpo),
  number(
    "contrastiveWeight",
    "Contrastive weight",
    [0, 10, "any"],
    "λ of the attention contrastive loss: draws the queries of a type to the keys of its entities. 0: off.",
    prompts,
  ),
  number(
    "absentShare",
    "Absent types",
    [0, 1, "any"],
    "Share of its corpus's other types that a sentence is asked for too, so that empty answers are learned.",
    source,
  ),
  number(
    "maxLength",
    "Longest prompt",
    [32, 131072, 1],
    "Prompts of more tokens are left out, as are those over the model's context.",
    source,
  ),
  number("beta", "β", [0.001, 10, "any"], "How strongly the stage holds on to the adapter it begins with.", dpo),
  number(
    "sftAlpha",
    "SFT share α",
    [0, 10, "any"],
    "Weight of plain fine-tuning on the right answers, mixed into the loss.",
    dpo,
  ),
  {
    kind: "kinds",
    key: "boundaryKinds",
    title: "Boundary edits",
    does: "How an entity's words are moved to make a wrong answer. The adapter's own errors are always pairs too.",
    ...dpo,
  },
  number("rank", "LoRA rank", [1, 64, 1], "Size of the adapter: what it can learn, and its memory.", prompts),
  number("alpha", "LoRA alpha", [1, 128, 1], "The adapter is scaled by alpha / rank.", prompts),
  number(
    "dropout",
    "LoRA dropout",
    [0, 0.5, "any"],
    "Share of the adapter's inputs dropped, against overfitting.",
    everywhere,
  ),
  number("warmupRatio", "Warm-up", [0, 0.5, "any"], "Share of the steps in which the learning rate rises.", everywhere),
  number(
    "maxGradNorm",
    "Gradient clipping",
    [0.01, 100, "any"],
    "Largest global norm of a step's gradient.",
    everywhere,
  ),
  number("weightDecay", "Weight decay", [0, 0.5, "any"], "Pulls the adapter's weights towards zero.", everywhere),
  number(
    "seed",
    "Seed",
    [0, 4294967295, 1],
    "Initial weights, order and dropout: the same seed repeats a run.",
    everywhere,
  ),
  {
    kind: "targets",
    key: "targets",
    title: "LoRA targets",
    does: "Which linears of each layer are adapted.",
    ...prompts,
  },
  {
    kind: "optional",
    key: "maxSteps",
    title: "Step limit",
    min: 1,
    empty: "none",
    does: "Stops after so many optimizer steps, whatever the epochs. Empty: no limit.",
    ...everywhere,
  },
  {
    kind: "optional",
    key: "contrastiveLayer",
    title: "Contrastive layer",
    min: 0,
    empty: "auto",
    does: "Layer whose queries and keys are compared, from 0. Empty: the paper's 26 of 32, or the same share of another depth.",
    ...prompts,
    ...advanced,
  },
  {
    kind: "choice",
    key: "contrastivePooling",
    title: "Contrastive pooling",
    choices: { mean: "mean", ancestor: "first, last" },
    does: "Which tokens stand for a type and an entity.",
    ...prompts,
    ...advanced,
  },
  {
    kind: "choice",
    key: "contrastiveRope",
    title: "Contrastive RoPE",
    choices: { pre: "before", post: "after" },
    does: "Whether queries and keys are compared before or after their positions are rotated in.",
    ...prompts,
    ...advanced,
  },
  number(
    "dpopLambda",
    "DPO-Positive λ",
    [0, 500, "any"],
    "Penalty where right answers become less likely than before. 0: plain DPO.",
    { ...dpo, ...advanced },
  ),
  number(
    "chosenDropAlarm",
    "Drop alarm",
    [0.1, 1000, "any"],
    "Warns when right answers fall by so many nats below where they began.",
    { ...dpo, ...advanced },
  ),
  {
    kind: "optional",
    key: "earlyStopping",
    title: "Early stopping",
    min: 1,
    empty: "never",
    does: "Stops after so many evaluations without a better held-out F1. Empty: never.",
    ...everywhere,
    ...advanced,
  },
  {
    kind: "optional",
    key: "evalEvery",
    title: "Predict every",
    min: 1,
    empty: "epoch",
    does: "Steps between predictions of the held-out sentences, where they are predicted each epoch. Empty: after each epoch.",
    ...everywhere,
    ...advanced,
  },
  {
    kind: "choice",
    key: "checkpointing",
    title: "Recompute",
    choices: {
      auto: "as memory asks",
      none: "nothing",
      layer: "each layer",
      "every 2": "blocks of 2 layers",
      "every 4": "blocks of 4 layers",
      "every 8": "blocks of 8 layers",
    },
    does: "What the backward pass computes again to save memory, from the fastest down. The numbers are the same.",
    ...everywhere,
    ...advanced,
  },
  {
    kind: "choice",
    key: "checkpointPrecision",
    title: "Kept for recomputation",
    choices: { f32: "as f32", f16: "as f16" },
    does: "f16 takes half the memory, and moves gradients by about a thousandth.",
    ...everywhere,
    ...advanced,
  },
  number(
    "packTokens",
    "Tokens a pass",
    [0, 16384, 1],
    "A step's prompts run together up to so many tokens, with what they begin with in common once: faster, more memory. 0: one at a time.",
    { ...everywhere, ...advanced },
  ),
  number("saveSteps", "Save every", [1, 1000, 1], "Steps between the states that a closed tab can go on from.", {
    ...everywhere,
    ...advanced,
  }),
];

function number(
  key: NumberKey,
  title: string,
  [min, max, step]: [number, number, number | "any"],
  does: string,
  about: Pick<About, "stages" | "advanced">,
): NumberSetting {
  return { kind: "number", key, title, min, max, step, does, ...about };
}

export function settingsOf(stage: Stage): Setting[] {
  return SETTINGS.filter(({ stages }) => stages.includes(stage));
}

/** Settings that come with the adapter that a stage begins with. */
export const INHERITED = ["rank", "alpha", "targets"] as const satisfies readonly (keyof TrainConfig)[];
export type Inherited = Pick<TrainConfig, (typeof INHERITED)[number]>;

export const TARGET_PRESETS: Readonly<Record<string, TrainConfig["targets"]>> = {
  "q, v": ["q_proj", "v_proj"],
  "q, k, v, o": ["q_proj", "k_proj", "v_proj", "o_proj"],
  "all linear": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
};

/** The preset's name, or the targets themselves. */
export function targetsName(targets: TrainConfig["targets"]): string {
  const key = [...targets].sort().join();
  const preset = Object.entries(TARGET_PRESETS).find(([, list]) => [...list].sort().join() === key);
  return preset?.[0] ?? targets.join(", ");
}

/** What is wrong with a value, or null. */
export function settingProblem(setting: Setting, config: TrainConfig): string | null {
  const { title } = setting;
  const value = config[setting.key];
  if (setting.kind === "optional") {
    const isWhole = value === null || (Number.isInteger(value) && Number(value) >= setting.min);
    return isWhole ? null : `expected a whole number of at least ${setting.min} for ${title}, got ${String(value)}`;
  }
  if (setting.kind !== "number") {
    const [known, chosen] = chosenOf(setting, config);
    const other = chosen.find((one) => !known.some((name) => name === one));
    return other === undefined ? null : `expected ${title} of ${known.join(", ")}, got ${JSON.stringify(other)}`;
  }
  const { min, max, step } = setting;
  if (typeof value !== "number" || !Number.isFinite(value)) return `expected a number for ${title}`;
  if (step === 1 && !Number.isInteger(value)) return `expected a whole number for ${title}, got ${value}`;
  return value < min || value > max ? `expected ${title} from ${min} to ${max}, got ${value}` : null;
}

/** What may be chosen, and what is; settings that were kept may be of another version. */
function chosenOf(
  setting: ChoiceSetting | TargetsSetting | KindsSetting,
  config: TrainConfig,
): [known: readonly string[], chosen: readonly unknown[]] {
  switch (setting.kind) {
    case "choice":
      return [Object.keys(setting.choices), [choiceText(config[setting.key])]];
    case "targets":
      return [Object.values(TARGET_PRESETS).flat(), listOf(config.targets)];
    case "kinds":
      return [BOUNDARY_EDITS, listOf(config.boundaryKinds)];
  }
}

/** A choice as its key: blocks of k layers are the number k in the configuration. */
export function choiceText(value: string | number): string {
  return typeof value === "number" ? `every ${value}` : value;
}

/** The choice that a key stands for. */
export function choiceValue(text: string): string | number {
  const [, layers] = /^every (\d+)$/.exec(text) ?? [];
  return layers === undefined ? text : Number(layers);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Settings that were kept, where they still hold; in the place of others those of `fallback`. */
export function soundConfig(kept: unknown, fallback: TrainConfig): TrainConfig {
  if (typeof kept !== "object" || kept === null) return fallback;
  const taken = settingsOf(fallback.stage).flatMap((setting) => {
    if (!(setting.key in kept)) return [];
    const config = { ...fallback, [setting.key]: (kept as Record<string, unknown>)[setting.key] };
    return settingProblem(setting, config) === null ? [[setting.key, config[setting.key]] as const] : [];
  });
  return { ...fallback, ...(Object.fromEntries(taken) as Partial<TrainConfig>) };
}

export function configProblem(config: TrainConfig): string | null {
  for (const setting of settingsOf(config.stage)) {
    const problem = settingProblem(setting, config);
    if (problem !== null) return problem;
  }
  return null;
}
