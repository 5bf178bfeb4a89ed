/** Buffers that a pass over up to `capacity` rows (tokens) needs; reused by every pass that fits. */
import { BufferPool } from "../gpu/buffers.ts";
import { LORA_TARGETS, type LoraTarget } from "./adapters/loraWeights.ts";
import type { LlamaConfig } from "./gguf/config.ts";
import type { Llama } from "./llama.ts";
import { segmentsRoom } from "./rowTree.ts";

/**
 * What a pass keeps: "inference" nothing; "layer" each layer's input, the rest recomputed in backward
 * (Chen et al. 2016); "none" everything.
 */
export type Keep = "inference" | "layer" | "none";

/** Words of the segments a row. */
const SEGMENTS_WIDTH = 4 * segmentsRoom(1);

/** Intermediates of one layer, in the order forward makes them. T rows. */
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
}

/** Scratch of backward, shared by all layers. */
export interface GradientBuffers {
  readonly dx: GPUBuffer; // (T,C) of the residual stream
  readonly dNormed: GPUBuffer; // (T,C)
  readonly dH: GPUBuffer; // (T,FF)
  readonly dO: GPUBuffer; // (T,NH·D)
  readonly dQ: GPUBuffer; // (T,NH·D)
  readonly dK: GPUBuffer; // (T,KVH·D)
  readonly dV: GPUBuffer; // (T,KVH·D)
  readonly dXa: GPUBuffer; // (T,R)
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
  /** Residual stream before layer 0 … L; in inference two buffers take turns. */
  readonly residual: readonly GPUBuffer[];
  readonly layers: readonly LayerActivations[];
  readonly gradients: GradientBuffers | null;
  readonly #pool: BufferPool;
  readonly #llama: Llama;

  /** @throws Error where a buffer exceeds the device's limits; nothing stays allocated then */
  constructor(llama: Llama, capacity: number, R: number, keep: Keep) {
    const { config } = llama;
    this.#llama = llama;
    this.#pool = new BufferPool(llama.queue.gpu);
    this.capacity = capacity;
    this.keep = keep;
    const make = (label: string, width: number): GPUBuffer => this.#pool.storage(label, capacity * width * 4);
    try {
      this.ids = make("ids", 1);
      this.positions = make("positions", 1);
      this.segments = make("segments", SEGMENTS_WIDTH);
      this.slots = make("slots", 1);
      const { layers: L, hiddenSize: C } = config;
      const streams = Array.from({ length: keep === "inference" ? 2 : L + 1 }, (_, i) => make(`residual ${i}`, C));
      this.residual = Array.from({ length: L + 1 }, (_, i) => streams[i % streams.length] as GPUBuffer);
      const sets = Array.from({ length: keep === "none" ? L : 1 }, () => layerActivations(config, R, make));
      this.layers = Array.from({ length: L }, (_, i) => sets[i % sets.length] as LayerActivations);
      this.gradients = keep === "inference" ? null : gradientBuffers(config, R, make);
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

/** GPU bytes of a Workspace, for the memory estimate before anything is allocated. */
export function workspaceBytes(config: LlamaConfig, capacity: number, R: number, keep: Keep): number {
  let bytes = 0;
  const count = (_label: string, width: number): GPUBuffer => {
    bytes += Math.max(16, Math.ceil((capacity * width * 4) / 16) * 16);
    return undefined as unknown as GPUBuffer;
  };
  [1, 1, SEGMENTS_WIDTH, 1].forEach((width) => count("", width));
  const streams = keep === "inference" ? 2 : config.layers + 1;
  Array.from({ length: streams }, () => count("", config.hiddenSize));
  Array.from({ length: keep === "none" ? config.layers : 1 }, () => layerActivations(config, R, count));
  if (keep !== "inference") {
    gradientBuffers(config, R, count);
  }
  return bytes;
}

type Make = (label: string, width: number) => GPUBuffer;

function layerActivations(config: LlamaConfig, R: number, make: Make): LayerActivations {
  const { hiddenSize: C, feedForwardSize: FF, heads, kvHeads, headDim } = config;
  const xa = {} as Record<LoraTarget, GPUBuffer>;
  for (const target of LORA_TARGETS) {
    xa[target] = make(`xa ${target}`, R);
  }
  return {
    normed1: make("normed1", C),
    rstd1: make("rstd1", 1),
    q: make("q", heads * headDim),
    k: make("k", kvHeads * headDim),
    v: make("v", kvHeads * headDim),
    o: make("o", heads * headDim),
    stats: make("attention stats", heads * 2),
    middle: make("middle", C),
    normed2: make("normed2", C),
    rstd2: make("rstd2", 1),
    gate: make("gate", FF),
    up: make("up", FF),
    h: make("h", FF),
    xa,
  };
}

function gradientBuffers(config: LlamaConfig, R: number, make: Make): GradientBuffers {
  const { hiddenSize: C, feedForwardSize: FF, heads, kvHeads, headDim } = config;
  return {
    dx: make("dx", C),
    dNormed: make("dNormed", C),
    dH: make("dH", FF),
    dO: make("dO", heads * headDim),
    dQ: make("dQ", heads * headDim),
    dK: make("dK", kvHeads * headDim),
    dV: make("dV", kvHeads * headDim),
    dXa: make("dXa", R),
  };
}
