/** Which type each tensor of a quantized file has, as llama.cpp's quantize chooses it without an importance matrix. */
import type { GgmlType } from "./gguf/types.ts";
import type { LoraTarget } from "./adapters/loraWeights.ts";

export const QUANTIZATION_MIXES = ["Q4_0", "Q4_K_M"] as const;
export type QuantizationMix = (typeof QUANTIZATION_MIXES)[number];

/** Of a linear of layer `layer` of `layers`, with K inputs. */
export function linearType(
  mix: QuantizationMix,
  target: LoraTarget,
  { layer, layers, K }: { readonly layer: number; readonly layers: number; readonly K: number },
): GgmlType {
  if (mix === "Q4_0") {
    return "Q4_0";
  }
  const moreBits = (target === "v_proj" || target === "down_proj") && getsMoreBits(layer, layers);
  return fitting(moreBits ? "Q6_K" : "Q4_K", K);
}

/** Of the embedding, with rows of K; one that is the head too is quantized as a head. */
export function embeddingType(mix: QuantizationMix, tied: boolean, K: number): GgmlType {
  return tied ? headType(K) : mix === "Q4_0" ? "Q4_0" : fitting("Q4_K", K);
}

export function headType(K: number): GgmlType {
  return fitting("Q6_K", K);
}

/** The first and the last eighth of the layers, and every third of those between. */
function getsMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** Blocks of 256 need rows of a multiple of that. */
function fitting(type: "Q4_K" | "Q6_K", K: number): GgmlType {
  if (K % 256 === 0) {
    return type;
  }
  return type === "Q4_K" ? "Q5_0" : "Q8_0";
}
