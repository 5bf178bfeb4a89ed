// A stage's settings: its defaults or a preset, over them --config, over them the flags.
import type { LoraConfig } from "../model/adapters/loraWeights.ts";
import { checkTrainConfig, PAPER_SFT, type Stage, type TrainConfig } from "../train/config.ts";
import { POOLINGS } from "../train/contrastiveRows.ts";
import { parseSettings, parseTargets } from "../train/parseSettings.ts";
import { PRESETS, STAGE_DEFAULTS } from "../train/presets.ts";
import { readJson } from "./documents.ts";
import type { Flag, FlagValues } from "./verb.ts";

export const trainConfigFlags = {
  preset: { kind: "choice", choices: ["quick", "paper"], help: "settings to begin from (default: the stage's own)" },
  config: { kind: "text", value: "C.json", help: "settings by name, as a run's run/config.json has them" },
  epochs: { kind: "number", value: "N", help: `passes over the prompts (${defaultsOf("epochs")})` },
  "max-steps": { kind: "integer", value: "N", help: "optimizer steps, in place of --epochs" },
  "learning-rate": { kind: "number", value: "X", help: `peak rate of Adam (${defaultsOf("learningRate")})` },
  "warmup-ratio": { kind: "number", value: "X", help: `share of rising steps (${defaultsOf("warmupRatio")})` },
  accumulation: { kind: "integer", value: "N", help: `prompts a step (${defaultsOf("gradAccumSteps")})` },
  "pack-tokens": {
    kind: "integer",
    value: "N",
    min: 0,
    help: `tokens of a pass, 0: a prompt each (${defaultsOf("packTokens")})`,
  },
  "max-grad-norm": { kind: "number", value: "X", help: `clipping, 0: none (${defaultsOf("maxGradNorm")})` },
  "weight-decay": { kind: "number", value: "X", help: `of Adam (${defaultsOf("weightDecay")})` },
  rank: { kind: "integer", value: "R", help: `of LoRA (${defaultsOf("rank")})` },
  alpha: { kind: "number", value: "X", help: `of LoRA (${defaultsOf("alpha")})` },
  dropout: { kind: "number", value: "X", help: `on LoRA's input (${defaultsOf("dropout")})` },
  targets: { kind: "text", value: "T", multiple: true, help: `qv, qkvo, all-linear or names (default qkvo)` },
  seed: { kind: "integer", value: "N", help: `of the order, A and dropout (${defaultsOf("seed")})` },
  checkpointing: {
    kind: "choice",
    choices: ["auto", "none", "layer", "2", "4", "8"],
    help: "recompute nothing, each layer, blocks of so many: less memory, slower (default auto: the fastest that fits)",
  },
  "checkpoint-precision": {
    kind: "choice",
    choices: ["f32", "f16"],
    help: "of what is kept to recompute; f16: half the memory, gradients within 1e-3 (default f32)",
  },
  "save-steps": { kind: "integer", value: "N", help: `a checkpoint every N steps (${defaultsOf("saveSteps")})` },
  "eval-every": { kind: "integer", value: "N", help: "held-out scores every N steps (default: each epoch)" },
  "early-stopping": { kind: "integer", value: "N", help: "stop after N scores without a better one (default: never)" },
  "contrastive-weight": {
    kind: "number",
    value: "X",
    help: `source, sft: λ of the contrastive loss (${defaultsOf("contrastiveWeight")}, off; paper 0.01)`,
  },
  "contrastive-layer": { kind: "integer", value: "N", help: "source, sft: its layer, from 0 (default: 26 of 32)" },
  pooling: { kind: "choice", choices: POOLINGS, help: "source, sft: tokens that stand for a span (default mean)" },
  rope: {
    kind: "choice",
    choices: ["pre", "post"],
    help: "source, sft: queries and keys before it (default) or after",
  },
  beta: { kind: "number", value: "X", help: `dpo: β of the margin (${defaultsOf("beta")})` },
  "sft-alpha": {
    kind: "number",
    value: "X",
    help: `dpo: α of the chosen answers' SFT loss (${defaultsOf("sftAlpha")})`,
  },
  "dpop-lambda": { kind: "number", value: "X", help: `dpo: λ of DPO-Positive, 0: none (${defaultsOf("dpopLambda")})` },
  "chosen-drop-alarm": {
    kind: "number",
    value: "X",
    help: `dpo: warn when chosen answers fall X nats below the reference (${defaultsOf("chosenDropAlarm")})`,
  },
  "absent-share": {
    kind: "number",
    value: "X",
    help: `source: share of a sentence's absent types asked for (${defaultsOf("absentShare")})`,
  },
  "max-length": { kind: "integer", value: "N", help: `source: longest prompt, in tokens (${defaultsOf("maxLength")})` },
} as const satisfies Record<string, Flag>;

/** Which setting each flag sets. */
const settingOf = {
  epochs: "epochs",
  "max-steps": "maxSteps",
  "learning-rate": "learningRate",
  "warmup-ratio": "warmupRatio",
  accumulation: "gradAccumSteps",
  "pack-tokens": "packTokens",
  "max-grad-norm": "maxGradNorm",
  "weight-decay": "weightDecay",
  rank: "rank",
  alpha: "alpha",
  dropout: "dropout",
  seed: "seed",
  checkpointing: "checkpointing",
  "checkpoint-precision": "checkpointPrecision",
  "save-steps": "saveSteps",
  "eval-every": "evalEvery",
  "early-stopping": "earlyStopping",
  "contrastive-weight": "contrastiveWeight",
  "contrastive-layer": "contrastiveLayer",
  pooling: "contrastivePooling",
  rope: "contrastiveRope",
  beta: "beta",
  "sft-alpha": "sftAlpha",
  "dpop-lambda": "dpopLambda",
  "chosen-drop-alarm": "chosenDropAlarm",
  "absent-share": "absentShare",
  "max-length": "maxLength",
} as const satisfies Partial<Record<keyof typeof trainConfigFlags, keyof TrainConfig>>;

/**
 * The settings of a run; rank, alpha and targets of an adapter that training goes on from are its own, and its dropout
 * too, but in the stage dpo.
 * @throws Error naming the first setting that is unknown, out of range, not the stage's, or not the adapter's
 */
export function trainConfig(
  flags: FlagValues<typeof trainConfigFlags> & { readonly stage: Stage },
  adapter: LoraConfig | null,
): TrainConfig {
  const { stage, preset } = flags;
  const defaults = preset === undefined ? STAGE_DEFAULTS[stage] : PRESETS[stage][preset];
  const settings = flags.config === undefined ? {} : parseSettings(readJson(flags.config), flags.config);
  if (settings.stage !== undefined && settings.stage !== stage) {
    throw new Error(
      `expected settings of the stage ${stage} in ${flags.config}, got ${JSON.stringify(settings.stage)}`,
    );
  }
  const chosen: Record<string, unknown> = { ...settings };
  for (const [flag, setting] of Object.entries(settingOf)) {
    const value = flags[flag as keyof typeof settingOf];
    if (value !== undefined) {
      chosen[setting] = flag === "checkpointing" && /^\d+$/.test(String(value)) ? Number(value) : value;
    }
  }
  if (flags.targets.length > 0) {
    chosen["targets"] = parseTargets(flags.targets.flatMap((text) => text.split(",")));
  }
  // DPO compares with the adapter as it was: noise on its input would count as a difference (method.md: dropout 0).
  const own = adapter !== null && stage === "dpo" ? { ...adapter, dropout: defaults.dropout } : adapter;
  const config = { ...defaults, ...own, ...chosen };
  checkTrainConfig(config);
  if (adapter !== null) {
    checkSameShape(config, adapter);
  }
  return config;
}

/** "default 5; source 1, dpo 3": the value of SFT, then those of stages that differ. */
function defaultsOf(setting: keyof TrainConfig): string {
  const own = PAPER_SFT[setting];
  const others = Object.values(STAGE_DEFAULTS).flatMap((defaults) =>
    defaults[setting] === own ? [] : [`${defaults.stage} ${String(defaults[setting])}`],
  );
  return `default ${String(own)}${others.length === 0 ? "" : `; ${others.join(", ")}`}`;
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
