// A stage's settings: the paper's defaults, over them --config, over them the flags.
import { LORA_TARGETS, type LoraConfig, type LoraTarget } from "../model/adapters/loraWeights.ts";
import { checkTrainConfig, PAPER_SFT, type TrainConfig } from "../train/config.ts";
import { readJson } from "./documents.ts";
import { nearMiss } from "./errors.ts";
import type { Flag, FlagValues } from "./verb.ts";

export const trainConfigFlags = {
  config: { kind: "text", value: "C.json", help: "settings by name, as a run's run/config.json has them" },
  epochs: { kind: "number", value: "N", help: `passes over the prompts (default ${PAPER_SFT.epochs})` },
  "max-steps": { kind: "integer", value: "N", help: "optimizer steps, in place of --epochs" },
  "learning-rate": { kind: "number", value: "X", help: `peak rate of Adam (default ${PAPER_SFT.learningRate})` },
  "warmup-ratio": { kind: "number", value: "X", help: `share of rising steps (default ${PAPER_SFT.warmupRatio})` },
  accumulation: { kind: "integer", value: "N", help: `prompts a step (default ${PAPER_SFT.gradAccumSteps})` },
  "max-grad-norm": { kind: "number", value: "X", help: `clipping, 0: none (default ${PAPER_SFT.maxGradNorm})` },
  "weight-decay": { kind: "number", value: "X", help: `of Adam (default ${PAPER_SFT.weightDecay})` },
  rank: { kind: "integer", value: "R", help: `of LoRA (default ${PAPER_SFT.rank})` },
  alpha: { kind: "number", value: "X", help: `of LoRA (default ${PAPER_SFT.alpha})` },
  dropout: { kind: "number", value: "X", help: `on LoRA's input (default ${PAPER_SFT.dropout})` },
  targets: { kind: "text", value: "T", multiple: true, help: `qv, qkvo, all-linear or names (default qkvo)` },
  seed: { kind: "integer", value: "N", help: `of the order, A and dropout (default ${PAPER_SFT.seed})` },
  checkpointing: { kind: "choice", choices: ["layer", "none"], help: "none: faster, more memory (default layer)" },
} as const satisfies Record<string, Flag>;

/** Which setting each flag sets. */
const settingOf = {
  epochs: "epochs",
  "max-steps": "maxSteps",
  "learning-rate": "learningRate",
  "warmup-ratio": "warmupRatio",
  accumulation: "gradAccumSteps",
  "max-grad-norm": "maxGradNorm",
  "weight-decay": "weightDecay",
  rank: "rank",
  alpha: "alpha",
  dropout: "dropout",
  seed: "seed",
  checkpointing: "checkpointing",
} as const satisfies Partial<Record<keyof typeof trainConfigFlags, keyof TrainConfig>>;

const targetSets: Readonly<Record<string, readonly LoraTarget[]>> = {
  qv: ["q_proj", "v_proj"],
  qkvo: ["q_proj", "k_proj", "v_proj", "o_proj"],
  "all-linear": LORA_TARGETS,
};

/**
 * The settings of a run; those of an adapter that training goes on from are its own.
 * @throws Error naming the first setting that is unknown, out of range, or not the adapter's
 */
export function trainConfig(flags: FlagValues<typeof trainConfigFlags>, adapter: LoraConfig | null): TrainConfig {
  const chosen: Record<string, unknown> = flags.config === undefined ? {} : readConfig(flags.config);
  for (const [flag, setting] of Object.entries(settingOf)) {
    const value = flags[flag as keyof typeof settingOf];
    if (value !== undefined) {
      chosen[setting] = value;
    }
  }
  if (flags.targets.length > 0) {
    chosen["targets"] = flags.targets.flatMap((text) => text.split(","));
  }
  if ("targets" in chosen) {
    chosen["targets"] = parseTargets(chosen["targets"]);
  }
  const config = { ...PAPER_SFT, ...adapter, ...chosen };
  checkTrainConfig(config);
  if (adapter !== null) {
    checkSameShape(config, adapter);
  }
  return config;
}

/** A JSON file of settings; `stage` may stand there too, as in run/config.json. */
function readConfig(path: string): Record<string, unknown> {
  const content = readJson(path);
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new Error(`expected an object of settings in ${path}, got ${JSON.stringify(content).slice(0, 60)}`);
  }
  const names = Object.keys(PAPER_SFT);
  const { stage, ...settings } = content as Record<string, unknown>;
  if (stage !== undefined && stage !== "sft") {
    throw new Error(`expected settings of the stage sft in ${path}, got ${JSON.stringify(stage)}`);
  }
  for (const [name, value] of Object.entries(settings)) {
    if (!names.includes(name)) {
      const hint = nearMiss(name, names);
      throw new Error(
        `expected settings of training in ${path}, got ${name}${hint === "" ? ` (known: ${names.join(", ")})` : hint}`,
      );
    }
    const kind = name === "checkpointing" ? "string" : name === "targets" ? typeof value : "number";
    if (typeof value !== kind && !(name === "maxSteps" && value === null)) {
      throw new Error(`expected ${name} in ${path} to be a ${kind}, got ${JSON.stringify(value)}`);
    }
  }
  return settings;
}

/** Set names and target names → targets in LORA_TARGETS' order. */
function parseTargets(value: unknown): readonly LoraTarget[] {
  const texts = (Array.isArray(value) ? value : [value]) as readonly unknown[];
  const chosen = texts.flatMap((text) => {
    const name = String(text).trim();
    const set =
      (Object.hasOwn(targetSets, name) ? targetSets[name] : null) ?? LORA_TARGETS.filter((target) => target === name);
    if (set.length === 0) {
      const known = [...Object.keys(targetSets), ...LORA_TARGETS];
      throw new Error(`expected targets of ${known.join(", ")}, got ${JSON.stringify(name)}${nearMiss(name, known)}`);
    }
    return set;
  });
  return LORA_TARGETS.filter((target) => chosen.includes(target));
}

function checkSameShape(config: TrainConfig, adapter: LoraConfig): void {
  for (const name of ["rank", "alpha", "targets"] as const) {
    if (String(config[name]) !== String(adapter[name])) {
      throw new Error(
        `expected ${name} ${String(adapter[name])}, that of the adapter, got ${String(config[name])} (leave it out, or start without --adapter)`,
      );
    }
  }
}
