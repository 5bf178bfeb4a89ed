/** A loss and its LoRA gradients over all prompts, without update and without dropout. */
import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "./config.ts";
import type { ExamplesOptions, TrainExample } from "./examples.ts";
import { Trainer } from "./trainer.ts";

export interface SftGradients {
  /** Mean −log-probability per supervised token, nats. */
  readonly loss: number;
  readonly supervisedTokens: number;
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
  options: ExamplesOptions = {},
): Promise<SftGradients> {
  const trainer = await Trainer.create(llama, lora, examples, { ...PAPER_SFT, ...lora.config, dropout: 0 });
  try {
    const { pages, scale, ...measured } = await trainer.gradients(options);
    const sums = await lora.readPages(pages);
    for (const { data } of sums.tensors.values()) {
      for (let i = 0; i < data.length; i++) {
        data[i] = (data[i] as number) * scale;
      }
    }
    return { ...measured, gradients: sums };
  } finally {
    trainer.destroy();
  }
}
