/**
 * Settings of one training stage, for the studio and the command line alike: names, ranges, and the values of the paper
 * (section 4.3), of method.md where it is silent. Presets are in presets.ts.
 */
import * as v from "valibot";
import { LORA_TARGETS, type LoraTarget } from "../model/adapters/loraWeights.ts";
import type { Checkpointing } from "../model/residuals.ts";
import { BOUNDARY_EDITS, type BoundaryEdit, DEFAULT_BOUNDARY_EDITS } from "../ner/boundaryEdits.ts";
import { type Pooling, POOLINGS } from "./contrastiveRows.ts";
import { PACK_TOKENS } from "./packing.ts";

/** Pre-training on source corpora, supervised fine-tuning on the target, preferences over its boundaries. */
export const STAGES = ["source", "sft", "dpo"] as const;
export type Stage = (typeof STAGES)[number];

export interface TrainConfig {
  readonly stage: Stage;
  /** LoRA r. */
  readonly rank: number;
  /** LoRA alpha; the update is scaled by alpha / rank. */
  readonly alpha: number;
  /** Dropout on LoRA's input. */
  readonly dropout: number;
  readonly targets: readonly LoraTarget[];
  /** Peak learning rate of Adam. */
  readonly learningRate: number;
  /** Share of the steps in which the rate rises from 0. */
  readonly warmupRatio: number;
  readonly epochs: number;
  /** Prompts an optimizer step sums over. */
  readonly gradAccumSteps: number;
  /**
   * Tokens of a pass: a step's prompts are packed into passes of up to so many, with what they begin with in common once;
   * a longer prompt has one of its own. 0: one prompt a pass. Changes rounding and dropout's masks, memory and speed.
   */
  readonly packTokens: number;
  /** Global norm above which gradients are scaled down; 0: never. */
  readonly maxGradNorm: number;
  readonly weightDecay: number;
  readonly seed: number;
  /** Stops after this many steps, the schedule shortened to them; null: all epochs. */
  readonly maxSteps: number | null;
  /**
   * "layer" keeps each layer's input only and recomputes the rest; k the input of each k-th layer, and recomputes more;
   * "none" keeps everything (fastest, most memory). All give the same numbers, bit for bit. "auto": the fastest that fits.
   */
  readonly checkpointing: "auto" | Checkpointing;
  /** What is kept for recomputation: "f16" takes half the memory, and moves gradients by about 1e-3 of their size. */
  readonly checkpointPrecision: "f32" | "f16";
  /** A checkpoint after every so many steps. */
  readonly saveSteps: number;
  /** Held-out sentences, where there are any, are scored after every so many steps; null: after each epoch. */
  readonly evalEvery: number | null;
  /** Stops after so many evaluations without a better held-out F1; null: never. */
  readonly earlyStopping: number | null;

  /** Weight λ of the attention contrastive loss (Eq. 5); 0: off. Stages source and sft. */
  readonly contrastiveWeight: number;
  /** Layer whose queries and keys it reads, from 0; null: method.md's, 26 of 32 and the same share of another depth. */
  readonly contrastiveLayer: number | null;
  readonly contrastivePooling: Pooling;
  /** Whether queries and keys are read before RoPE or after. */
  readonly contrastiveRope: "pre" | "post";

  /** β of DPO's margin. Stage dpo, as those that follow. */
  readonly beta: number;
  /** α, the weight of the chosen answers' cross-entropy (Eq. 13); TRL's rpo_alpha. */
  readonly sftAlpha: number;
  /** λ of DPO-Positive (Pal et al. 2024, Eq. 3); 0: plain DPO. */
  readonly dpopLambda: number;
  /** Edits that make pairs of labelled sentences; none: only the model's own errors do. */
  readonly boundaryKinds: readonly BoundaryEdit[];
  /** Nats by which the chosen answers' log-probability may fall below the reference's before it is said. */
  readonly chosenDropAlarm: number;

  /**
   * Stage source: share of a corpus's types without an entity in a sentence that it is asked for as well, rounded, and
   * at least one where it is above 0: a sentence without any entity is a prompt too.
   */
  readonly absentShare: number;
  /** Stage source: prompts of more tokens, or more than the model's context, are left out and named. */
  readonly maxLength: number;
}

/** Paper 4.3: LoRA r 8, alpha 16 on attention, Adam at 3e-4, linear schedule, five epochs. Without the contrastive loss. */
export const PAPER_SFT: TrainConfig = {
  stage: "sft",
  rank: 8,
  alpha: 16,
  dropout: 0.05,
  targets: ["q_proj", "k_proj", "v_proj", "o_proj"],
  learningRate: 3e-4,
  warmupRatio: 0.1,
  epochs: 5,
  gradAccumSteps: 4,
  packTokens: PACK_TOKENS,
  maxGradNorm: 1,
  weightDecay: 0,
  seed: 42,
  maxSteps: null,
  checkpointing: "auto",
  checkpointPrecision: "f32",
  saveSteps: 20,
  evalEvery: null,
  earlyStopping: null,
  contrastiveWeight: 0,
  contrastiveLayer: null,
  contrastivePooling: "mean",
  contrastiveRope: "pre",
  beta: 0.1,
  sftAlpha: 0.2,
  dpopLambda: 0,
  boundaryKinds: DEFAULT_BOUNDARY_EDITS,
  chosenDropAlarm: 5,
  absentShare: 0.25,
  maxLength: 512,
};

/** Settings that only some stages read; elsewhere they stay as they are in PAPER_SFT. */
const STAGES_OF: Readonly<Partial<Record<keyof TrainConfig, readonly Stage[]>>> = {
  contrastiveWeight: ["source", "sft"],
  contrastiveLayer: ["source", "sft"],
  contrastivePooling: ["source", "sft"],
  contrastiveRope: ["source", "sft"],
  beta: ["dpo"],
  sftAlpha: ["dpo"],
  dpopLambda: ["dpo"],
  boundaryKinds: ["dpo"],
  chosenDropAlarm: ["dpo"],
  absentShare: ["source"],
  maxLength: ["source"],
};

// Messages say what was expected; the name and what was got stand around them.
const numberThat = (holds: (value: number) => boolean, expected: string) =>
  v.pipe(v.number("a number"), v.check(holds, expected));
const whole = (least: number, most: number, expected: string) =>
  numberThat((value) => Number.isInteger(value) && value >= least && value <= most, expected);
const oneOf = <const T extends string>(names: readonly T[]) =>
  v.picklist(names, names.map((name) => JSON.stringify(name)).join(" or "));
const someOf = <const T extends string>(names: readonly T[]) => {
  const expected = `some of ${names.join(", ")}`;
  return v.pipe(v.array(v.picklist(names, expected), expected), v.readonly());
};
const atLeast0 = numberThat((value) => value >= 0, "at least 0");
const above0 = numberThat((value) => value > 0 && Number.isFinite(value), "a number above 0");
const share = numberThat((value) => value >= 0 && value <= 1, "from 0 to 1");
const count = whole(1, Infinity, "a whole number from 1");
const targetNames = someOf(LORA_TARGETS);

export const trainConfigSchema = v.object(
  {
    stage: oneOf(STAGES),
    rank: whole(1, 1024, "a whole number from 1 to 1024"),
    alpha: above0,
    dropout: numberThat((value) => value >= 0 && value < 1, "at least 0 and below 1"),
    targets: v.pipe(targetNames, v.minLength(1, `some of ${LORA_TARGETS.join(", ")}`)),
    learningRate: numberThat((value) => value >= 0 && value < 1, "at least 0 and below 1"),
    warmupRatio: share,
    epochs: above0,
    gradAccumSteps: count,
    packTokens: whole(0, Infinity, "a whole number from 0 (0: one prompt a pass)"),
    maxGradNorm: numberThat((value) => value >= 0, "at least 0 (0: no clipping)"),
    weightDecay: atLeast0,
    seed: whole(0, 2 ** 32 - 1, "a whole number below 2³²"),
    maxSteps: v.nullable(count),
    checkpointing: v.union(
      [v.picklist(["auto", "none", "layer"]), v.pipe(v.number(), v.integer(), v.minValue(1))],
      `"auto", "none", "layer" or a number of layers`,
    ),
    checkpointPrecision: oneOf(["f32", "f16"]),
    saveSteps: count,
    evalEvery: v.nullable(count),
    earlyStopping: v.nullable(count),
    contrastiveWeight: atLeast0,
    contrastiveLayer: v.nullable(whole(0, Infinity, "a layer, a whole number from 0")),
    contrastivePooling: oneOf(POOLINGS),
    contrastiveRope: oneOf(["pre", "post"]),
    beta: above0,
    sftAlpha: atLeast0,
    dpopLambda: atLeast0,
    boundaryKinds: someOf(BOUNDARY_EDITS),
    chosenDropAlarm: above0,
    absentShare: share,
    maxLength: count,
  } satisfies { readonly [Name in keyof TrainConfig]: v.GenericSchema<unknown, TrainConfig[Name]> },
  "given",
);

/** @throws Error naming the first setting that is out of its range, or that the stage does not read */
export function checkTrainConfig(config: TrainConfig): void {
  const result = v.safeParse(trainConfigSchema, config, { abortEarly: true });
  if (!result.success) {
    throw settingError(result.issues[0], "");
  }
  for (const [name, stages] of Object.entries(STAGES_OF) as [keyof TrainConfig, readonly Stage[]][]) {
    const [value, unread] = [JSON.stringify(config[name]), JSON.stringify(PAPER_SFT[name])];
    if (!stages.includes(config.stage) && value !== unread) {
      throw new Error(
        `expected ${name} to be ${unread} in the stage ${config.stage}, got ${value} (a setting of ${stages.join(" and ")})`,
      );
    }
  }
}

/** "expected rank in c.json to be a number, got "8"". @param where "" or " in c.json" */
export function settingError(issue: v.BaseIssue<unknown>, where: string): Error {
  const [setting] = issue.path ?? [];
  return new Error(
    `expected ${String(setting?.key)}${where} to be ${issue.message}, got ${shownValue(setting?.value)}`,
  );
}

/** A value as messages show it. */
export function shownValue(value: unknown): string {
  if (value === undefined) {
    return "nothing";
  }
  return typeof value === "number" ? String(value) : JSON.stringify(value).slice(0, 60);
}
