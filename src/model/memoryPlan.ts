/**
 * GPU bytes reckoned before anything is allocated: what Llama, Lora, Workspace, Head and Decoder will ask of their pools,
 * from tensor types and shapes alone. memoryPlan.test.ts holds plan against pools.
 */
import { bufferBytes } from "../gpu/buffers.ts";
import type { LoraConfig, LoraTarget } from "./adapters/loraWeights.ts";
import { cacheBytesPerToken, cachedTokens, decoderRows, type DecoderSize, PLACES } from "./decoder.ts";
import type { LlamaConfig } from "./gguf/config.ts";
import type { GgufTensor } from "./gguf/header.ts";
import { packedBytes, partRows } from "./gguf/pack.ts";
import { HEAD_BLOCK, HEAD_BLOCKS, SLOT_BYTES } from "./head.ts";
import { MAX_PART_BYTES } from "./llama.ts";
import { loraPages, paddedRank } from "./lora.ts";
import { PICKED_BLOCK } from "./pickedHead.ts";
import type { Checkpointing } from "./residuals.ts";
import { workspaceBytes } from "./workspace.ts";

const F32 = 4;

/** A model without its weights: what the plan reads. */
export interface PlannedModel {
  readonly config: LlamaConfig;
  readonly tensors: readonly Pick<GgufTensor, "name" | "type" | "shape">[];
  /** The embedding's rows are read from the file (embedding.ts). */
  readonly embeddingInFile: boolean;
  /** Bytes that a buffer of this device may have at most; by default the engine's own limit. */
  readonly maxPartBytes?: number;
}

/** Buffers of one purpose. */
export interface MemoryPart {
  readonly name: string;
  readonly bytes: number;
}

export function sumParts(parts: readonly MemoryPart[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** All weights in the engine's own layouts (gguf/pack.ts), and the table of RoPE's angles for `positions` tokens. */
export function weightParts(model: PlannedModel, positions: number): MemoryPart[] {
  const { config } = model;
  const sums = { layers: 0, embedding: 0, head: 0 };
  for (const tensor of model.tensors) {
    const part = tensor.name.startsWith("token_embd")
      ? "embedding"
      : tensor.name.startsWith("output.")
        ? "head"
        : "layers";
    // rope_freqs goes into the table of angles.
    if (tensor.name !== "rope_freqs.weight" && !(part === "embedding" && inFile(model))) {
      sums[part] += tensorBytes(tensor, model.maxPartBytes ?? MAX_PART_BYTES);
    }
  }
  const table = Math.min(config.contextLength, Math.max(256, 2 * positions)) * config.headDim * F32;
  return [
    { name: "layers, left quantized", bytes: sums.layers },
    {
      name: config.tiedEmbeddings ? "embedding and head" : "head",
      bytes: sums.head + (config.tiedEmbeddings ? sums.embedding : 0),
    },
    ...(config.tiedEmbeddings || sums.embedding === 0 ? [] : [{ name: "embedding", bytes: sums.embedding }]),
    { name: "RoPE's angles", bytes: bufferBytes(table) },
  ];
}

/** A tied embedding is the head, and stays on the GPU. */
function inFile({ config, embeddingInFile }: PlannedModel): boolean {
  return embeddingInFile && !config.tiedEmbeddings;
}

function tensorBytes(tensor: Pick<GgufTensor, "name" | "type" | "shape">, maxPartBytes: number): number {
  const [N = 1, K] = tensor.shape;
  if (K === undefined) {
    return bufferBytes(N * F32);
  }
  const rows = partRows(tensor, Math.min(maxPartBytes, MAX_PART_BYTES));
  let bytes = 0;
  for (let n0 = 0; n0 < N; n0 += rows) {
    const { words, scales } = packedBytes(tensor.type, Math.min(rows, N - n0), K);
    bytes += bufferBytes(words) + bufferBytes(scales);
  }
  return bytes;
}

export interface TrainingShape {
  readonly rank: number;
  readonly targets: readonly LoraTarget[];
  /** Rows of the longest pass. */
  readonly rows: number;
  readonly checkpointing: Checkpointing;
  readonly checkpointPrecision: "f32" | "f16";
}

/** What training adds to the weights. @param headWidth of planned or loaded weights */
export function trainingParts(config: LlamaConfig, headWidth: number, shape: TrainingShape): MemoryPart[] {
  const adapter = adapterBytes(config, shape);
  const workspace = {
    ...{ capacity: shape.rows, R: paddedRank(shape.rank), keep: shape.checkpointing },
    halves: shape.checkpointPrecision === "f16",
  };
  return [
    { name: "adapter, its gradients and Adam's moments", bytes: 4 * adapter },
    { name: "activations", bytes: workspaceBytes(config, workspace) },
    { name: "logits of a block of rows", bytes: headBytes(config, headWidth) },
  ];
}

/** What predicting with an adapter adds to the weights; null: without one. */
export function decodingParts(
  model: PlannedModel,
  adapter: Pick<LoraConfig, "rank" | "targets"> | null,
  size: DecoderSize,
): MemoryPart[] {
  const { config } = model;
  const R = paddedRank(adapter?.rank ?? 1);
  const workspace = { capacity: decoderRows(size), R, keep: "inference", halves: false } as const;
  const states = size.branches * PLACES * (config.hiddenSize + 1) * F32;
  return [
    { name: "key-value cache", bytes: cachedTokens(size) * cacheBytesPerToken(config) },
    { name: "activations", bytes: workspaceBytes(config, workspace) },
    { name: "logits and states", bytes: headBytes(config, headWidth(model)) + 3 * states + PICKED_BLOCK * 12 },
    ...(adapter === null ? [] : [{ name: "adapter", bytes: adapterBytes(config, adapter) }]),
  ];
}

function adapterBytes(config: LlamaConfig, { rank, targets }: Pick<LoraConfig, "rank" | "targets">): number {
  const { sizes } = loraPages(config, rank, targets);
  return sizes.reduce((sum, size) => sum + bufferBytes(size), 0);
}

function headBytes(config: LlamaConfig, width: number): number {
  return HEAD_BLOCK * ((4 * config.hiddenSize + width + 1) * F32 + HEAD_BLOCKS * SLOT_BYTES);
}

/** Outputs of the largest part of the head, of which logits exist at a time. */
export function headWidth(model: PlannedModel): number {
  const padded = Math.ceil(model.config.vocabSize / 8) * 8;
  const name = model.config.tiedEmbeddings ? "token_embd.weight" : "output.weight";
  for (const tensor of model.tensors) {
    if (tensor.name === name) {
      return Math.min(padded, partRows(tensor, Math.min(model.maxPartBytes ?? MAX_PART_BYTES, MAX_PART_BYTES)));
    }
  }
  return padded;
}
