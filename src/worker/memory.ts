// GPU memory a Llama needs, reckoned from its file and the shapes of a pass before anything is loaded, and whether this
// device has it. All values on the GPU are 4 bytes, but for the weights, which stay quantized.

import type { LoraTarget } from "../model/adapters/loraWeights.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { packedBytes } from "../model/gguf/pack.ts";
import type { MemoryNeed, ModelMemory } from "./protocol.ts";

const F32 = 4;
/** Rows of logits that are held at a time, over a chunk of the vocabulary. */
const LOGIT_BYTES = 32 * 2 ** 20;

export interface LoraShape {
  rank: number;
  targets: readonly LoraTarget[];
}

export interface DeviceMemory {
  /** GPUSupportedLimits.maxBufferSize; null where there is no device. */
  maxBufferSize: number | null;
  /** Bytes of main memory as navigator.deviceMemory tells (rounded, capped by the browser), or null. */
  mainMemory: number | null;
}

/** Bytes of all weights in the engine's layouts (model/gguf/pack.ts); vectors stay f32. */
export function weightBytes(gguf: GgufFile): number {
  let bytes = 0;
  for (const { type, shape } of gguf.tensors.values()) {
    const [N = 1, K] = shape;
    const packed = K === undefined ? { words: N * F32, scales: 0 } : packedBytes(type, N, K);
    bytes += packed.words + packed.scales;
  }
  return bytes;
}

/** Inputs K and outputs N of a linear of a decoder layer. */
function linearShape(config: LlamaConfig, target: LoraTarget): { K: number; N: number } {
  const { hiddenSize: C, feedForwardSize: FF, heads, kvHeads, headDim } = config;
  switch (target) {
    case "q_proj":
      return { K: C, N: heads * headDim };
    case "k_proj":
    case "v_proj":
      return { K: C, N: kvHeads * headDim };
    case "o_proj":
      return { K: heads * headDim, N: C };
    case "gate_proj":
    case "up_proj":
      return { K: C, N: FF };
    case "down_proj":
      return { K: FF, N: C };
  }
}

export function loraParameters(config: LlamaConfig, { rank, targets }: LoraShape): number {
  return targets.reduce((sum, target) => {
    const { K, N } = linearShape(config, target);
    return sum + rank * (K + N) * config.layers;
  }, 0);
}

/** What a model needs for prompts of `tokens` tokens, micro-batch 1, with a checkpoint per layer. */
export function modelMemory(
  gguf: GgufFile,
  config: LlamaConfig,
  lora: LoraShape,
  tokens: number,
  device: DeviceMemory,
): ModelMemory {
  const { layers, hiddenSize: C, feedForwardSize: FF, heads, kvHeads, headDim } = config;
  const weights = { name: "weights, left quantized", bytes: weightBytes(gguf) };
  // One layer: input, normed input, q, attention output, projection, residual; k and v; gate, up and their product.
  const layerValues = tokens * (4 * C + 2 * heads * headDim + 2 * kvHeads * headDim + 3 * FF) * F32;
  const parameters = loraParameters(config, lora);
  const inference = [
    weights,
    { name: "key-value cache", bytes: layers * 2 * kvHeads * headDim * tokens * F32 },
    { name: "activations of a layer", bytes: layerValues },
    { name: "adapter", bytes: parameters * F32 },
  ];
  const training = [
    weights,
    { name: "adapter, gradients, two moments", bytes: 4 * parameters * F32 },
    { name: "checkpoints of all layers", bytes: (layers + 1) * tokens * C * F32 },
    { name: "a layer forward and backward", bytes: 2 * layerValues },
    { name: "logits in chunks", bytes: LOGIT_BYTES },
  ];
  return { tokens, inference: judge(inference, device), training: judge(training, device) };
}

function judge(parts: { name: string; bytes: number }[], device: DeviceMemory): MemoryNeed {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return { bytes, parts, ...verdict(bytes, device) };
}

/** WebGPU tells no size of the GPU's memory: main memory and the largest single buffer are what can be compared with. */
function verdict(bytes: number, { maxBufferSize, mainMemory }: DeviceMemory): Pick<MemoryNeed, "verdict" | "reason"> {
  if (maxBufferSize === null) return { verdict: "no", reason: "there is no WebGPU device" };
  const gigabytes = (value: number): string => `${(value / 1e9).toFixed(value < 1e9 ? 2 : 1)} GB`;
  if (mainMemory === null) {
    const fits = bytes < maxBufferSize;
    return {
      verdict: fits ? "yes" : "tight",
      reason: fits
        ? `even a single buffer may be ${gigabytes(maxBufferSize)} here`
        : "the browser reports neither the GPU's memory nor the machine's: loading it will show",
    };
  }
  const machine = `the browser reports ${gigabytes(mainMemory)} of main memory (it never reports the GPU's)`;
  if (bytes > mainMemory) return { verdict: "no", reason: `more than the machine has: ${machine}` };
  if (bytes > mainMemory / 2) return { verdict: "tight", reason: `over half of it: ${machine}` };
  return { verdict: "yes", reason: machine };
}
