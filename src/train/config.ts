/** Settings of one training stage; values of the paper (section 4.3) and of method.md where it is silent. */
import { LORA_TARGETS, type LoraTarget } from "../model/adapters/loraWeights.ts";

export interface TrainConfig {
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
  /** Global norm above which gradients are scaled down; 0: never. */
  readonly maxGradNorm: number;
  readonly weightDecay: number;
  readonly seed: number;
  /** Stops after this many steps, the schedule shortened to them; null: all epochs. */
  readonly maxSteps: number | null;
  /** "layer" keeps each layer's input only and recomputes the rest; "none" keeps everything (faster, more memory). */
  readonly checkpointing: "layer" | "none";
}

/** Paper 4.3: LoRA r 8, alpha 16 on attention, Adam at 3e-4, linear schedule, five epochs. */
export const PAPER_SFT: TrainConfig = {
  rank: 8,
  alpha: 16,
  dropout: 0.05,
  targets: ["q_proj", "k_proj", "v_proj", "o_proj"],
  learningRate: 3e-4,
  warmupRatio: 0.1,
  epochs: 5,
  gradAccumSteps: 4,
  maxGradNorm: 1,
  weightDecay: 0,
  seed: 42,
  maxSteps: null,
  checkpointing: "layer",
};

/** @throws Error naming the first setting out of its range */
export function checkTrainConfig(config: TrainConfig): void {
  const rules: readonly [keyof TrainConfig, boolean, string][] = [
    ["rank", isCount(config.rank) && config.rank <= 1024, "a whole number from 1 to 1024"],
    ["alpha", config.alpha > 0 && Number.isFinite(config.alpha), "a number above 0"],
    ["dropout", config.dropout >= 0 && config.dropout < 1, "at least 0 and below 1"],
    [
      "targets",
      config.targets.length > 0 && config.targets.every((target) => LORA_TARGETS.includes(target)),
      `some of ${LORA_TARGETS.join(", ")}`,
    ],
    ["learningRate", config.learningRate >= 0 && config.learningRate < 1, "at least 0 and below 1"],
    ["warmupRatio", config.warmupRatio >= 0 && config.warmupRatio <= 1, "from 0 to 1"],
    ["epochs", config.epochs > 0 && Number.isFinite(config.epochs), "a number above 0"],
    ["gradAccumSteps", isCount(config.gradAccumSteps), "a whole number from 1"],
    ["maxGradNorm", config.maxGradNorm >= 0, "at least 0 (0: no clipping)"],
    ["weightDecay", config.weightDecay >= 0, "at least 0"],
    ["seed", Number.isInteger(config.seed) && config.seed >= 0 && config.seed < 2 ** 32, "a whole number below 2³²"],
    ["maxSteps", config.maxSteps === null || isCount(config.maxSteps), "a whole number from 1"],
    ["checkpointing", ["layer", "none"].includes(config.checkpointing), '"layer" or "none"'],
  ];
  for (const [name, holds, expected] of rules) {
    if (!holds) {
      throw new Error(`expected ${name} to be ${expected}, got ${String(config[name])}`);
    }
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}
