/**
 * GPU bytes of a model and of training it, reckoned before anything is allocated: what Llama, Lora, Workspace, Head and
 * Trainer will ask for. Buffers' rounding and the few small ones are left out (under 1 %).
 */
import type { LoraConfig, LoraTarget } from "../model/adapters/loraWeights.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { packedBytes } from "../model/gguf/pack.ts";
import { type Keep, workspaceBytes } from "../model/workspace.ts";
import { HEAD_BLOCK } from "../model/head.ts";

const F32 = 4;
/** Weights, gradients and Adam's two moments. */
const COPIES_IN_TRAINING = 4;

/** Bytes of all weights in the engine's own layouts (model/gguf/pack.ts); vectors stay f32. */
export function weightBytes(gguf: GgufFile): number {
  let bytes = 0;
  for (const { type, shape } of gguf.tensors.values()) {
    const [N = 1, K] = shape;
    const { words, scales } = K === undefined ? { words: N * F32, scales: 0 } : packedBytes(type, N, K);
    bytes += words + scales;
  }
  return bytes;
}

/** Bytes beyond the weights of training on prompts of up to `tokens` tokens, one at a time. */
export function trainingBytes(
  config: LlamaConfig,
  lora: Pick<LoraConfig, "rank" | "targets">,
  tokens: number,
  checkpointing: Exclude<Keep, "inference">,
): number {
  const R = Math.ceil(lora.rank / 4) * 4;
  const head = HEAD_BLOCK * (4 * config.hiddenSize + config.vocabSize) * F32;
  const adapter = loraValues(config, R, lora.targets) * F32 * COPIES_IN_TRAINING;
  return workspaceBytes(config, tokens, R, checkpointing) + head + adapter;
}

/** Numbers in A and B of all adapted linears, of rank R. */
function loraValues(config: LlamaConfig, R: number, targets: readonly LoraTarget[]): number {
  return config.layers * targets.reduce((sum, target) => sum + R * inputsAndOutputs(config, target), 0);
}

/** K + N of a linear of a decoder layer. */
function inputsAndOutputs({ hiddenSize: C, feedForwardSize: FF, ...config }: LlamaConfig, target: LoraTarget): number {
  switch (target) {
    case "q_proj":
    case "o_proj":
      return C + config.heads * config.headDim;
    case "k_proj":
    case "v_proj":
      return C + config.kvHeads * config.headDim;
    case "gate_proj":
    case "up_proj":
    case "down_proj":
      return C + FF;
  }
}
