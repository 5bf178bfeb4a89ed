/** Settings as they stand in a file: unknown names and other kinds of values are errors, with what was probably meant. */
import * as v from "valibot";
import { LORA_TARGETS, type LoraTarget } from "../model/adapters/loraWeights.ts";
import { nearMiss } from "../ner/nearMiss.ts";
import { settingError, shownValue, type TrainConfig, trainConfigSchema } from "./config.ts";

/**
 * Settings by name, as a run's config.json has them, all or some. Targets may also be names of sets: qv, qkvo, all-linear.
 * @param where of what they come from, for messages: a file's name
 * @throws Error naming the first setting that is unknown, of another kind, or out of its range
 */
export function parseSettings(value: unknown, where: string): Partial<TrainConfig> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`expected an object of settings in ${where}, got ${shownValue(value)}`);
  }
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(trainConfigSchema.entries, name));
  if (unknown !== undefined) {
    throw new Error(`expected settings of training in ${where}, got ${unknown}${settingHint(unknown)}`);
  }
  const settings = "targets" in value ? { ...value, targets: parseTargets(value.targets) } : value;
  const result = v.safeParse(v.partial(trainConfigSchema), settings, { abortEarly: true });
  if (!result.success) {
    throw settingError(result.issues[0], ` in ${where}`);
  }
  return settings;
}

const TARGET_SETS: Readonly<Record<string, readonly LoraTarget[]>> = {
  qv: ["q_proj", "v_proj"],
  qkvo: ["q_proj", "k_proj", "v_proj", "o_proj"],
  "all-linear": LORA_TARGETS,
};

/**
 * Names of targets and of sets of them → targets in LORA_TARGETS' order.
 * @throws Error naming one that is neither
 */
export function parseTargets(value: unknown): readonly LoraTarget[] {
  const texts = (Array.isArray(value) ? value : [value]) as readonly unknown[];
  const chosen = texts.flatMap((text) => {
    const name = String(text).trim();
    const set =
      (Object.hasOwn(TARGET_SETS, name) ? TARGET_SETS[name] : null) ?? LORA_TARGETS.filter((target) => target === name);
    if (set.length === 0) {
      const known = [...Object.keys(TARGET_SETS), ...LORA_TARGETS];
      throw new Error(`expected targets of ${known.join(", ")}, got ${JSON.stringify(name)}${nearMiss(name, known)}`);
    }
    return set;
  });
  return LORA_TARGETS.filter((target) => chosen.includes(target));
}

/** What transformers, PEFT and TRL call settings whose names here are too far from theirs to be a slip. */
const FOREIGN_NAMES: Readonly<Record<string, keyof TrainConfig>> = {
  gradient_accumulation_steps: "gradAccumSteps",
  num_train_epochs: "epochs",
  packing: "packTokens",
  gradient_checkpointing: "checkpointing",
  eval_steps: "evalEvery",
  early_stopping_patience: "earlyStopping",
  r: "rank",
  lora_alpha: "alpha",
  lora_dropout: "dropout",
  target_modules: "targets",
  rpo_alpha: "sftAlpha",
};

function settingHint(name: string): string {
  const foreign = Object.hasOwn(FOREIGN_NAMES, name) ? FOREIGN_NAMES[name] : undefined;
  if (foreign !== undefined) {
    return ` (here it is ${foreign})`;
  }
  const known = Object.keys(trainConfigSchema.entries);
  return nearMiss(name, known) || ` (known: ${known.join(", ")})`;
}
