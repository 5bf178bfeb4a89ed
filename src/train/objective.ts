/** What a stage optimizes, one pack of examples (micro-batch) at a time. */
import type { ExampleSource } from "./examples.ts";
import type { BackwardPass } from "../model/backward.ts";
import type { Pack } from "./packing.ts";

/** The parts of a pass that the trainer decides. */
export type PassSettings = Pick<BackwardPass, "llama" | "lora" | "workspace" | "dropout" | "loraGradients">;

/** Numbers of a step for its log: `loss` and the terms it is made of, under TRL's names where it has them. */
export type StepLosses = { readonly loss: number } & Readonly<Partial<Record<LossTerm, number>>>;

/** In the order of the log. */
export const LOSS_TERMS = [
  "sft_loss",
  "contrastive_loss",
  "dpo_loss",
  "nll_loss",
  "rewards/chosen",
  "rewards/rejected",
  "rewards/margins",
  "rewards/accuracies",
  "logps/chosen",
  "logps/rejected",
] as const;
export type LossTerm = (typeof LOSS_TERMS)[number];

export interface Objective<E extends ObjectiveExample = ObjectiveExample> {
  readonly examples: ExampleSource<E>;
  /** Tokens that the model reads of an example: the rows of its pass (packing.ts). */
  sequences(example: E): readonly (readonly number[])[];
  /** Starts a step over these examples. */
  begin(batch: readonly E[]): void;
  /** Forward and backward of some of them in one pass; gradients and losses are added. */
  accumulate(pack: Pack<E>, settings: PassSettings): Promise<void>;
  /** What the sum of gradients is multiplied by to be that of the step's loss. */
  readonly gradScale: number;
  /** The step's loss, read back. */
  losses(): Promise<StepLosses>;
  readonly gpuBytes: number;
  destroy(): void;
}

export interface ObjectiveExample {
  readonly name: string;
  readonly ids: readonly number[];
}
