/** Sizes of a decoder layer's linears. */
import type { LoraTarget } from "./adapters/loraWeights.ts";
import type { LlamaConfig } from "./gguf/config.ts";

/** [outputs N, inputs K] of a linear of a decoder layer. */
export function linearShape(config: LlamaConfig, target: LoraTarget): [N: number, K: number] {
  const { hiddenSize: C, feedForwardSize: FF, heads, kvHeads, headDim } = config;
  switch (target) {
    case "q_proj":
      return [heads * headDim, C];
    case "k_proj":
    case "v_proj":
      return [kvHeads * headDim, C];
    case "o_proj":
      return [C, heads * headDim];
    case "gate_proj":
    case "up_proj":
      return [FF, C];
    case "down_proj":
      return [C, FF];
  }
}
