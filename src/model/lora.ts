/**
 * LoRA weights on the GPU (Hu et al. 2021): A (R,K) and B transposed, (R,N), of every adapted linear, in flat pages so
 * that the optimizer runs over few large ranges. R is the rank rounded up to a multiple of 4; the added rows are zero
 * and stay zero (their gradients are products with zeros).
 */
import { BufferPool } from "../gpu/buffers.ts";
import type { BufferSlice } from "../gpu/queue.ts";
import {
  LORA_TARGETS,
  type LoraConfig,
  type LoraTarget,
  type LoraTensor,
  type LoraWeights,
  loraTensorName,
} from "./adapters/loraWeights.ts";
import type { LlamaConfig } from "./gguf/config.ts";
import { linearShape } from "./linearShape.ts";
import type { Llama } from "./llama.ts";
import { nameSeed, uniform } from "./random.ts";

/** Where a matrix lies: page, first byte, bytes. */
interface Slot {
  readonly page: number;
  readonly offset: number;
  readonly size: number;
}

/** One adapted linear. */
export interface LoraModule {
  readonly layer: number;
  readonly target: LoraTarget;
  /** Inputs and outputs of the linear. */
  readonly K: number;
  readonly N: number;
  readonly a: Slot;
  readonly b: Slot;
}

/** Pages stay below a storage binding's default limit (128 MiB). */
const PAGE_BYTES = 64 * 2 ** 20;
/** Storage bindings begin on multiples of 256 bytes. */
const ALIGNMENT = 256;

type LayerModules = Readonly<Partial<Record<LoraTarget, LoraModule>>>;

/** Ranks are rounded up to a multiple of 4, so that the kernels read vectors. */
export function paddedRank(rank: number): number {
  return Math.ceil(rank / 4) * 4;
}

/** Where the matrices of an adapter lie, and the bytes of its pages. */
export function loraPages(
  config: LlamaConfig,
  rank: number,
  targets: readonly LoraTarget[],
): { byLayer: readonly LayerModules[]; sizes: readonly number[] } {
  const R = paddedRank(rank);
  const sizes = [0];
  const place = (bytes: number): Slot => {
    let page = sizes.length - 1;
    if ((sizes[page] ?? 0) + bytes > PAGE_BYTES && sizes[page] !== 0) {
      sizes.push(0);
      page++;
    }
    const offset = sizes[page] ?? 0;
    sizes[page] = offset + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return { page, offset, size: bytes };
  };
  const byLayer = Array.from({ length: config.layers }, (_, layer) => {
    const modules: Partial<Record<LoraTarget, LoraModule>> = {};
    for (const target of LORA_TARGETS) {
      if (targets.includes(target)) {
        const [N, K] = linearShape(config, target);
        modules[target] = { layer, target, K, N, a: place(R * K * 4), b: place(R * N * 4) };
      }
    }
    return modules;
  });
  return { byLayer, sizes };
}

/** Buffers with the layout of a Lora's pages: its weights, gradients or moments. */
export class LoraPages {
  readonly buffers: readonly GPUBuffer[];

  constructor(pool: BufferPool, label: string, sizes: readonly number[]) {
    this.buffers = sizes.map((size, page) => pool.storage(`${label} ${page}`, size));
  }

  slice(slot: Slot): BufferSlice {
    return { buffer: this.buffers[slot.page] as GPUBuffer, offset: slot.offset, size: slot.size };
  }
}

export class Lora {
  readonly config: LoraConfig;
  /** Rank rounded up to a multiple of 4. */
  readonly R: number;
  readonly scale: number;
  readonly weights: LoraPages;
  readonly pageSizes: readonly number[];
  readonly modules: readonly LoraModule[];
  /** Counts changes of the weights: what was computed with an older revision is stale. */
  revision = 0;
  readonly #byLayer: readonly LayerModules[];
  readonly #llama: Llama;
  readonly #pool: BufferPool;

  private constructor(llama: Llama, config: LoraConfig) {
    checkConfig(config);
    this.#llama = llama;
    this.config = config;
    this.R = paddedRank(config.rank);
    this.scale = config.alpha / config.rank;
    const { byLayer, sizes } = loraPages(llama.config, config.rank, config.targets);
    this.#byLayer = byLayer;
    this.modules = byLayer.flatMap((modules) => Object.values(modules));
    this.pageSizes = sizes;
    this.#pool = new BufferPool(llama.queue.gpu);
    this.weights = new LoraPages(this.#pool, "lora weights", sizes);
  }

  /** A fresh adapter: A ~ Kaiming-uniform(√5), that is U(−1/√K, 1/√K); B = 0, so that it changes nothing yet. */
  static create(llama: Llama, config: LoraConfig, seed: number): Lora {
    const lora = new Lora(llama, config);
    for (const module of lora.modules) {
      const tensorSeed = nameSeed(loraTensorName(module.layer, module.target, "A"), seed);
      const bound = 1 / Math.sqrt(module.K);
      const a = new Float32Array(lora.R * module.K);
      for (let i = 0; i < config.rank * module.K; i++) {
        a[i] = bound * uniform(tensorSeed, i);
      }
      lora.#write(module.a, a);
    }
    return lora;
  }

  /**
   * Puts weights read from an adapter on the GPU.
   * @throws Error naming the tensor where shapes or targets do not fit the model
   */
  static fromWeights(llama: Llama, weights: LoraWeights): Lora {
    checkFits(llama, weights);
    const lora = new Lora(llama, weights.config);
    const { rank } = weights.config;
    for (const module of lora.modules) {
      const a = new Float32Array(lora.R * module.K);
      a.set(tensorOf(weights, module, "A").data);
      lora.#write(module.a, a);
      const { data } = tensorOf(weights, module, "B");
      const b = new Float32Array(lora.R * module.N);
      const rows = lora.#rowOrder(module);
      for (let n = 0; n < module.N; n++) {
        const from = (rows === null ? n : (rows[n] as number)) * rank;
        for (let r = 0; r < rank; r++) {
          b[r * module.N + n] = data[from + r] as number;
        }
      }
      lora.#write(module.b, b);
    }
    return lora;
  }

  module(layer: number, target: LoraTarget): LoraModule | undefined {
    return this.#byLayer[layer]?.[target];
  }

  /** Reads the weights back in PEFT's names and Hugging Face's row order. */
  read(): Promise<LoraWeights> {
    return this.readPages(this.weights);
  }

  /** Reads any pages of this layout (weights, gradients, moments) as PEFT tensors. */
  async readPages(pages: LoraPages): Promise<LoraWeights> {
    const contents: Float32Array[] = [];
    for (const buffer of pages.buffers) {
      contents.push(new Float32Array(await this.#llama.queue.read(buffer)));
    }
    const { rank } = this.config;
    const tensors = new Map<string, LoraTensor>();
    for (const module of this.modules) {
      const { layer, target, K, N } = module;
      const a = matrixAt(contents, module.a);
      tensors.set(loraTensorName(layer, target, "A"), { shape: [rank, K], data: a.slice(0, rank * K) });
      const b = matrixAt(contents, module.b);
      const data = new Float32Array(N * rank);
      const rows = this.#rowOrder(module);
      for (let n = 0; n < N; n++) {
        const to = (rows === null ? n : (rows[n] as number)) * rank;
        for (let r = 0; r < rank; r++) {
          data[to + r] = b[r * N + n] as number;
        }
      }
      tensors.set(loraTensorName(layer, target, "B"), { shape: [N, rank], data });
    }
    return { config: this.config, tensors };
  }

  /** Bytes of GPU memory. */
  get gpuBytes(): number {
    return this.#pool.bytes;
  }

  destroy(): void {
    this.#llama.queue.release(this.#pool);
  }

  #write(slot: Slot, data: Float32Array<ArrayBuffer>): void {
    this.#llama.queue.write(this.weights.buffers[slot.page] as GPUBuffer, slot.offset, data);
  }

  /** For each output row in the GGUF's order, its row in Hugging Face's; null where they agree. */
  #rowOrder({ target }: LoraModule): Uint32Array | null {
    const { heads, kvHeads, headDim } = this.#llama.config;
    if (target === "q_proj") {
      return interleavedRows(heads, headDim);
    }
    return target === "k_proj" ? interleavedRows(kvHeads, headDim) : null;
  }
}

/**
 * GGUF stores q and k with each head's rotary pairs side by side (rows 2i, 2i+1), Hugging Face in two halves
 * (rows i, i + D/2). Element n of the result: Hugging Face's row of the GGUF's row n.
 */
function interleavedRows(heads: number, headDim: number): Uint32Array {
  const rows = new Uint32Array(heads * headDim);
  for (let n = 0; n < rows.length; n++) {
    const inHead = n % headDim;
    rows[n] = n - inHead + (inHead >> 1) + (inHead & 1) * (headDim / 2);
  }
  return rows;
}

function matrixAt(pages: readonly Float32Array[], { page, offset, size }: Slot): Float32Array<ArrayBuffer> {
  const contents = pages[page] as Float32Array<ArrayBuffer>;
  return contents.subarray(offset / 4, (offset + size) / 4);
}

function tensorOf(weights: LoraWeights, { layer, target }: LoraModule, matrix: "A" | "B"): LoraTensor {
  const name = loraTensorName(layer, target, matrix);
  const tensor = weights.tensors.get(name);
  if (tensor === undefined) {
    throw new Error(`expected tensor ${name} in the adapter, got none (was it made for a model with fewer layers?)`);
  }
  return tensor;
}

function checkConfig({ rank, alpha, dropout, targets }: LoraConfig): void {
  if (!Number.isInteger(rank) || rank < 1 || rank > 1024) {
    throw new Error(`expected a LoRA rank of 1 to 1024, got ${rank} (8 is the paper's)`);
  }
  if (!Number.isFinite(alpha) || alpha <= 0) {
    throw new Error(`expected a LoRA alpha above 0, got ${alpha} (16 is the paper's)`);
  }
  if (!(dropout >= 0 && dropout < 1)) {
    throw new Error(`expected a LoRA dropout of at least 0 and below 1, got ${dropout} (0.05 is the paper's)`);
  }
  if (targets.length === 0) {
    throw new Error(`expected at least one LoRA target, got none (choose of ${LORA_TARGETS.join(", ")})`);
  }
}

function checkFits(llama: Llama, weights: LoraWeights): void {
  const { rank, targets } = weights.config;
  const expected = new Set<string>();
  llama.layers.forEach(({ linears }, layer) => {
    for (const target of targets) {
      const { N, K } = linears[target];
      for (const [matrix, shape] of [
        ["A", [rank, K]],
        ["B", [N, rank]],
      ] as const) {
        const name = loraTensorName(layer, target, matrix);
        expected.add(name);
        const got = weights.tensors.get(name)?.shape;
        if (got?.[0] !== shape[0] || got[1] !== shape[1]) {
          throw new Error(
            `expected ${name} of shape ${shape.join("×")} for ${llama.config.name}, got ${got?.join("×") ?? "none"} (the adapter was made for another model)`,
          );
        }
      }
    }
  });
  for (const name of weights.tensors.keys()) {
    if (!expected.has(name)) {
      throw new Error(
        `expected tensors of ${llama.config.layers} layers and targets ${targets.join(", ")}, got ${name} (the adapter was made for another model)`,
      );
    }
  }
}
