/** A loss and its LoRA gradients over all prompts, without update and without dropout. */
import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "./config.ts";
import type { ContrastiveOptions } from "./contrastive.ts";
import { DpoObjective, type DpoOptions } from "./dpo.ts";
import type { DpoExample } from "./dpoExamples.ts";
import { type PackedOptions, inMemory, type TrainExample } from "./examples.ts";
import type { Objective, StepLosses } from "./objective.ts";
import { PACK_TOKENS } from "./packing.ts";
import { SftObjective } from "./sft.ts";
import { requireEntity, Trainer } from "./trainer.ts";

export interface Gradients extends StepLosses {
  /** Global norm. */
  readonly gradNorm: number;
  /** PEFT's names, Hugging Face's row order. */
  readonly gradients: LoraWeights;
}

/** Gradients of the SFT loss (method.md, Eq. 2): token mean over all prompts. */
export async function sftGradients(
  llama: Llama,
  lora: Lora,
  examples: readonly TrainExample[],
  options: PackedOptions = {},
): Promise<Gradients> {
  const objective = new SftObjective(llama, inMemory(examples), { weight: 0, layer: null, rope: "pre" });
  return gradientsOf(llama, lora, objective, options);
}

/** Gradients of the attention contrastive loss alone, unweighted (Eq. 4): the mean over prompts with an entity. */
export async function contrastiveGradients(
  llama: Llama,
  lora: Lora,
  examples: readonly TrainExample[],
  settings: ContrastiveOptions,
  options: PackedOptions = {},
): Promise<Gradients> {
  requireEntity(examples);
  return gradientsOf(
    llama,
    lora,
    new SftObjective(llama, inMemory(examples), { weight: "alone", ...settings }),
    options,
  );
}

/** Gradients of L' (Eq. 13) over all pairs as one step. */
export async function dpoGradients(
  llama: Llama,
  lora: Lora,
  pairs: readonly DpoExample[],
  settings: DpoOptions,
  options: PackedOptions = {},
): Promise<Gradients> {
  return gradientsOf(llama, lora, new DpoObjective(llama, inMemory(pairs), settings), options);
}

async function gradientsOf(
  llama: Llama,
  lora: Lora,
  objective: Objective,
  { packTokens = PACK_TOKENS, ...options }: PackedOptions,
): Promise<Gradients> {
  await llama.prepareTraining();
  const gradAccumSteps = objective.examples.length;
  const config = { ...PAPER_SFT, ...lora.config, dropout: 0, gradAccumSteps, packTokens };
  const trainer = new Trainer(llama, lora, objective, config);
  try {
    const { losses, gradNorm, pages, gradScale } = await trainer.gradients(options);
    const gradients = await lora.readPages(pages);
    for (const { data } of gradients.tensors.values()) {
      for (let i = 0; i < data.length; i++) {
        data[i] = (data[i] as number) * gradScale;
      }
    }
    return { ...losses, gradNorm, gradients };
  } finally {
    trainer.destroy();
  }
}
