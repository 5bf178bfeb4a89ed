/** Buffers that a pass over up to `capacity` rows (tokens) needs; reused by every pass that fits. */
import { bufferBytes, BufferPool } from "../gpu/buffers.ts";
import { LORA_TARGETS, type LoraTarget } from "./adapters/loraWeights.ts";
import type { LlamaConfig } from "./gguf/config.ts";
import type { Llama } from "./llama.ts";
import { type Keep, residualPlan } from "./residuals.ts";
import { segmentsRoom } from "./rowTree.ts";

/** Words of the segments a row. */
const SEGMENTS_WIDTH = 4 * segmentsRoom(1);

/** Intermediates of one layer, in the order forward makes them, T rows; and in their places the gradients of backward. */
export interface LayerActivations {
  readonly normed1: GPUBuffer; // (T,C) input of q, k, v
  readonly rstd1: GPUBuffer; // (T)
  readonly q: GPUBuffer; // (T,NH·D), rotated
  readonly k: GPUBuffer; // (T,KVH·D), rotated
  readonly v: GPUBuffer; // (T,KVH·D)
  readonly o: GPUBuffer; // (T,NH·D) input of o_proj
  readonly stats: GPUBuffer; // (T,NH) of (lse, delta)
  readonly middle: GPUBuffer; // (T,C) residual stream after attention
  readonly normed2: GPUBuffer; // (T,C) input of gate, up
  readonly rstd2: GPUBuffer; // (T)
  readonly gate: GPUBuffer; // (T,FF); backward: its gradient
  readonly up: GPUBuffer; // (T,FF); backward: its gradient
  readonly h: GPUBuffer; // (T,FF) input of down
  readonly xa: Readonly<Record<LoraTarget, GPUBuffer>>; // (T,R) x·Aᵀ

  // Each lies where something lay that backward has done with by then.
  readonly dH: GPUBuffer; // (T,FF) in h
  readonly dNormed: GPUBuffer; // (T,C) in h
  readonly dO: GPUBuffer; // (T,NH·D) in gate
  readonly dQ: GPUBuffer; // (T,NH·D) in up
  readonly dK: GPUBuffer; // (T,KVH·D) in normed2
  readonly dV: GPUBuffer; // (T,KVH·D) in middle
}

/** Scratch of backward, shared by all layers. */
export interface GradientBuffers {
  readonly dx: GPUBuffer; // (T,C) of the residual stream
  readonly dXa: GPUBuffer; // (T,R)
}

/** What a workspace is for. */
export interface WorkspaceShape {
  /** Rows. */
  readonly capacity: number;
  /** LoRA's padded rank. */
  readonly R: number;
  readonly keep: Keep;
  /** Residual checkpoints as f16. */
  readonly halves: boolean;
}

export class Workspace {
  readonly capacity: number;
  readonly keep: Keep;
  readonly ids: GPUBuffer;
  /** What `ids` holds (forward.ts), for embedding rows that are read from the file. */
  tokens: readonly number[] = [];
  readonly positions: GPUBuffer;
  /** Entries of four words: what each row attends to, and who to it (rowTree.ts). */
  readonly segments: GPUBuffer;
  /** (T) slots of the key/value cache, in decoding. */
  readonly slots: GPUBuffer;
  /** Residual stream before layer 0 … L; some share a buffer (residuals.ts). */
  readonly residual: readonly GPUBuffer[];
  /** Residuals before each block of layers as f16; empty where they are kept as they are. */
  readonly checkpoints: readonly GPUBuffer[];
  readonly layers: readonly LayerActivations[];
  readonly gradients: GradientBuffers | null;
  readonly #pool: BufferPool;
  readonly #llama: Llama;

  /** @throws Error where a buffer exceeds the device's limits; nothing stays allocated then */
  constructor(llama: Llama, capacity: number, R: number, keep: Keep, halves = false) {
    const { layers: L } = llama.config;
    this.#llama = llama;
    this.#pool = new BufferPool(llama.queue.gpu);
    this.capacity = capacity;
    this.keep = keep;
    const sizes = workspaceSizes(llama.config, { capacity, R, keep, halves });
    const make = (names: Readonly<Record<string, number>>, suffix = ""): Record<string, GPUBuffer> =>
      Object.fromEntries(
        Object.entries(names).map(([label, bytes]) => [label, this.#pool.storage(`${label}${suffix}`, bytes)]),
      );
    try {
      const { ids, positions, segments, slots } = make(sizes.tokens) as Record<TokenBuffer, GPUBuffer>;
      [this.ids, this.positions, this.segments, this.slots] = [ids, positions, segments, slots];
      const streams = sizes.streams.map((bytes, i) => this.#pool.storage(`residual ${i}`, bytes));
      this.residual = residualPlan(L, keep, halves).stream.map((i) => streams[i] as GPUBuffer);
      this.checkpoints = sizes.checkpoints.map((bytes, i) => this.#pool.storage(`checkpoint ${i}`, bytes));
      const sets = Array.from({ length: sizes.sets }, (_, i) => activations(make(sizes.set, ` ${i}`)));
      this.layers = Array.from({ length: L }, (_, i) => sets[i % sets.length] as LayerActivations);
      this.gradients =
        sizes.gradients === null ? null : (make(sizes.gradients) as Record<keyof GradientBuffers, GPUBuffer>);
    } catch (error) {
      this.#pool.destroy();
      throw error;
    }
  }

  get gpuBytes(): number {
    return this.#pool.bytes;
  }

  destroy(): void {
    this.#llama.queue.release(this.#pool);
  }
}

type TokenBuffer = "ids" | "positions" | "segments" | "slots";

/** Bytes of a workspace's buffers. */
export interface WorkspaceSizes {
  readonly tokens: Readonly<Record<TokenBuffer, number>>;
  readonly streams: readonly number[];
  readonly checkpoints: readonly number[];
  /** One layer's intermediates, and how many layers have their own. */
  readonly set: Readonly<Record<string, number>>;
  readonly sets: number;
  readonly gradients: Readonly<Record<keyof GradientBuffers, number>> | null;
}

export function workspaceSizes(config: LlamaConfig, { capacity, R, keep, halves }: WorkspaceShape): WorkspaceSizes {
  const { hiddenSize: C, feedForwardSize: FF, heads, kvHeads, headDim } = config;
  const [Q, KV] = [heads * headDim, kvHeads * headDim];
  const bytes = (width: number): number => capacity * width * 4;
  const plan = residualPlan(config.layers, keep, halves);
  const widths = {
    ...{ normed1: C, rstd1: 1, q: Q, k: KV, v: KV, o: Q, "attention stats": heads * 2 },
    ...{ middle: Math.max(C, KV), normed2: Math.max(C, KV), rstd2: 1 },
    ...{ gate: Math.max(FF, Q), up: Math.max(FF, Q), h: Math.max(FF, C) },
    ...Object.fromEntries(LORA_TARGETS.map((target) => [xaLabel(target), R])),
  };
  return {
    tokens: { ids: bytes(1), positions: bytes(1), segments: bytes(SEGMENTS_WIDTH), slots: bytes(1) },
    streams: Array.from({ length: plan.streams }, () => bytes(C)),
    checkpoints: Array.from({ length: plan.checkpoints }, () => bytes(C) / 2),
    set: Object.fromEntries(Object.entries(widths).map(([label, width]) => [label, bytes(width)])),
    sets: keep === "none" ? config.layers : 1,
    gradients: keep === "inference" ? null : { dx: bytes(C), dXa: bytes(R) },
  };
}

/** GPU bytes of a Workspace, before anything is allocated. */
export function workspaceBytes(config: LlamaConfig, shape: WorkspaceShape): number {
  const { tokens, streams, checkpoints, set, sets, gradients } = workspaceSizes(config, shape);
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, bytes) => total + bufferBytes(bytes), 0);
  return (
    sum([...Object.values(tokens), ...streams, ...checkpoints, ...Object.values(gradients ?? {})]) +
    sets * sum(Object.values(set))
  );
}

const xaLabel = (target: LoraTarget): string => `xa ${target}`;

function activations(buffers: Readonly<Record<string, GPUBuffer>>): LayerActivations {
  const of = (label: string): GPUBuffer => buffers[label] as GPUBuffer;
  const [middle, normed2, gate, up, h] = ["middle", "normed2", "gate", "up", "h"].map(of) as [
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
  ];
  return {
    ...{ normed1: of("normed1"), rstd1: of("rstd1"), q: of("q"), k: of("k"), v: of("v"), o: of("o") },
    ...{ stats: of("attention stats"), middle, normed2, rstd2: of("rstd2"), gate, up, h },
    xa: Object.fromEntries(LORA_TARGETS.map((target) => [target, of(xaLabel(target))])) as Record<
      LoraTarget,
      GPUBuffer
    >,
    ...{ dH: h, dNormed: h, dO: gate, dQ: up, dK: normed2, dV: middle },
  };
}
