// LoRA weights as they travel between the engine, files and the browser's storage: PEFT's names, Hugging
// Face's row order (q and k un-permuted), f32. Hu et al. 2021, "LoRA", eq. 3: W' = W + (alpha/rank)·B·A.

export const LORA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;
export type LoraTarget = (typeof LORA_TARGETS)[number];

export interface LoraConfig {
  /** r, rows of A and columns of B. */
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
  /** Probability that an input element of A is dropped in training, 0 ≤ p < 1. */
  readonly dropout: number;
  readonly targets: readonly LoraTarget[];
}

/** A row-major f32 matrix: lora_A is (rank, in), lora_B is (out, rank). */
export interface LoraTensor {
  readonly shape: readonly [number, number];
  readonly data: Float32Array;
}

export interface LoraWeights {
  readonly config: LoraConfig;
  /** By `loraTensorName`; every adapted linear has both its A and its B. */
  readonly tensors: ReadonlyMap<string, LoraTensor>;
}

/** The Hugging Face submodule of a decoder layer that holds the linear `target`. */
export function loraModule(target: LoraTarget): "self_attn" | "mlp" {
  return target === "gate_proj" || target === "up_proj" || target === "down_proj" ? "mlp" : "self_attn";
}

/** Name of one LoRA matrix in PEFT's adapter_model.safetensors. */
export function loraTensorName(layer: number, target: LoraTarget, matrix: "A" | "B"): string {
  return `base_model.model.model.layers.${layer}.${loraModule(target)}.${target}.lora_${matrix}.weight`;
}
