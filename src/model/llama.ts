/** A quantized Llama on the GPU: its weights, left quantized, and what every pass over it needs. */
import { BufferPool } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import { type KernelChoice, lacking } from "../gpu/kernelChoice.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { type LlamaConfig, readLlamaConfig } from "./gguf/config.ts";
import type { GgufFile } from "./gguf/gguf.ts";
import type { GgufTensor } from "./gguf/header.ts";
import { type Embedding, EmbeddingRows } from "./embedding.ts";
import { LAYOUT_OF, scaleKind } from "./gguf/pack.ts";
import { attentionConstants, type ModelLayouts, prepareInference, prepareTraining } from "./prepareKernels.ts";
import { ropeTable } from "./ropeTable.ts";
import { drainUploads, layoutConstants, type QuantizedMatrix, uploadMatrix, uploadVector } from "./weights.ts";
import type { LoraTarget } from "./adapters/loraWeights.ts";

/** One decoder layer. The linears carry PEFT's names of what LoRA may adapt. */
export interface LlamaLayer {
  readonly attentionNorm: GPUBuffer;
  readonly feedForwardNorm: GPUBuffer;
  readonly linears: Readonly<Record<LoraTarget, QuantizedMatrix>>;
}

/** GGUF's names of the linears of a layer. */
const GGUF_LINEARS: Readonly<Record<LoraTarget, string>> = {
  q_proj: "attn_q",
  k_proj: "attn_k",
  v_proj: "attn_v",
  o_proj: "attn_output",
  gate_proj: "ffn_gate",
  up_proj: "ffn_up",
  down_proj: "ffn_down",
};

/** A part passes through JavaScript's memory whole: an 8B's head would take 0.7 GB in one where the device allows it. */
export const MAX_PART_BYTES = 256 * 2 ** 20;
/** Uploads are drained each time this many bytes have been handed to the device. */
const DRAIN_BYTES = 128 * 2 ** 20;

export interface LoadOptions {
  /** Hears bytes of the file done and in all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
  /** Splits weights into parts of at most this many bytes a buffer, also where the device could bind more. */
  readonly maxPartBytes?: number;
  /** Leaves the embedding in the file where the head is a table of its own; the file is read while passes run. */
  readonly embeddingInFile?: boolean;
}

export class Llama {
  readonly config: LlamaConfig;
  readonly queue: CommandQueue;
  readonly embedding: Embedding;
  /** The output head; the embedding itself where tied. */
  readonly head: QuantizedMatrix;
  readonly outputNorm: GPUBuffer;
  readonly layers: readonly LlamaLayer[];
  readonly attentionConstants: Readonly<Record<string, number>>;
  readonly #pool: BufferPool;
  readonly #layouts: ModelLayouts;
  #rope: { readonly positions: number; readonly table: GPUBuffer };

  private constructor(
    config: LlamaConfig,
    queue: CommandQueue,
    pool: BufferPool,
    weights: Pick<Llama, "embedding" | "head" | "outputNorm" | "layers">,
    layouts: ModelLayouts,
  ) {
    this.config = config;
    this.queue = queue;
    this.attentionConstants = attentionConstants(queue, config);
    this.#pool = pool;
    this.#layouts = layouts;
    this.embedding = weights.embedding;
    this.head = weights.head;
    this.outputNorm = weights.outputNorm;
    this.layers = weights.layers;
    this.#rope = { positions: 0, table: pool.storage("rope table", 16) };
  }

  /** Of weights that are on the GPU already (randomModel.ts); the model owns queue and pool. */
  static async of(
    config: LlamaConfig,
    queue: CommandQueue,
    pool: BufferPool,
    weights: Pick<Llama, "embedding" | "head" | "outputNorm" | "layers">,
  ): Promise<Llama> {
    const llama = new Llama(config, queue, pool, weights, layoutsOf(weights));
    await llama.prepareInference();
    return llama;
  }

  /**
   * Repacks and uploads all weights, and meanwhile compiles the kernels that inference needs.
   * @throws GgufError for a file that is not a sound Llama; GpuError where memory does not suffice; AbortError when
   *   stopped
   */
  static async load(gpu: Gpu, gguf: GgufFile, options: LoadOptions = {}): Promise<Llama> {
    const began = performance.now();
    const config = await readLlamaConfig(gguf);
    const queue = new CommandQueue(gpu);
    const pool = new BufferPool(gpu);
    const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
    const maxPart = Math.min(maxStorageBufferBindingSize, maxBufferSize, options.maxPartBytes ?? MAX_PART_BYTES);
    const total = [...gguf.tensors.values()].reduce((sum, tensor) => sum + tensor.byteLength, 0);
    let done = 0;
    let undrained = 0;
    const matrix = async (name: string): Promise<QuantizedMatrix> => {
      options.signal?.throwIfAborted();
      const uploaded = await uploadMatrix(
        pool,
        tensorOf(gguf, name),
        maxPart,
        (bytes) => {
          done += bytes;
          undrained += bytes;
          options.onProgress?.(Math.min(done, total), total);
        },
        options.signal,
      );
      if (undrained > DRAIN_BYTES) {
        undrained = 0;
        await drainUploads(queue);
      }
      return uploaded;
    };
    try {
      // A tied head reads every row in every step.
      const inFile = options.embeddingInFile === true && !config.tiedEmbeddings;
      const layouts = plannedLayouts(gguf, config, inFile);
      // Compiling takes other threads than reading and repacking do.
      const compiled = prepareInference(queue, layouts, attentionConstants(queue, config)).then(() => {
        performance.measure("obp: compile", { start: began });
      });
      compiled.catch(() => undefined); // awaited below, unless loading fails first
      const table = inFile ? null : await matrix("token_embd.weight");
      const embedding = table ?? new EmbeddingRows(tensorOf(gguf, "token_embd.weight"));
      const head = config.tiedEmbeddings && table !== null ? table : await matrix("output.weight");
      const layers: LlamaLayer[] = [];
      for (let layer = 0; layer < config.layers; layer++) {
        const linears = {} as Record<LoraTarget, QuantizedMatrix>;
        // Side by side: what takes longest is to wait for the file.
        const uploads = Object.entries(GGUF_LINEARS).map(async ([target, name]) => {
          linears[target as LoraTarget] = await matrix(`blk.${layer}.${name}.weight`);
        });
        await allDone(uploads);
        layers.push({
          attentionNorm: await uploadVector(pool, tensorOf(gguf, `blk.${layer}.attn_norm.weight`)),
          feedForwardNorm: await uploadVector(pool, tensorOf(gguf, `blk.${layer}.ffn_norm.weight`)),
          linears,
        });
      }
      const outputNorm = await uploadVector(pool, tensorOf(gguf, "output_norm.weight"));
      await drainUploads(queue);
      performance.measure("obp: read, repack, upload", { start: began });
      await compiled;
      options.signal?.throwIfAborted();
      const error = gpu.takeError();
      if (error !== null) {
        throw error;
      }
      options.onProgress?.(total, total);
      return new Llama(config, queue, pool, { embedding, head, outputNorm, layers }, layouts);
    } catch (error) {
      pool.destroy();
      queue.destroy();
      throw error;
    }
  }

  /** Bytes of GPU memory the weights take. */
  get gpuBytes(): number {
    return this.#pool.bytes;
  }

  /**
   * (cos, sin) of each position below `positions` and rotary pair, (positions, D/2) pairs.
   * @throws Error beyond the model's context, which the table could not hold
   */
  ropeTable(positions: number): GPUBuffer {
    if (positions > this.config.contextLength) {
      throw new Error(
        `expected at most ${this.config.contextLength} tokens, the context of ${this.config.name}, got ${positions} (shorten the sentence or leave it out)`,
      );
    }
    if (positions > this.#rope.positions) {
      const size = Math.min(this.config.contextLength, Math.max(256, 2 * positions));
      this.queue.release(this.#pool, [this.#rope.table]);
      this.#rope = { positions: size, table: this.#pool.upload("rope table", ropeTable(this.config, size)) };
    }
    return this.#rope.table;
  }

  /**
   * Runs other kernels from now on: those that a checkpoint records, so that what goes on gives the same bits.
   * @throws Error where the device cannot
   */
  async useKernels(kernels: KernelChoice): Promise<void> {
    const { gpu } = this.queue;
    const feature = lacking(kernels, gpu);
    if (feature !== null) {
      throw new Error(
        `expected an adapter with ${feature}, as the checkpoint's had, got ${gpu.adapterName} (go on where it was made, or train anew)`,
      );
    }
    gpu.kernels = kernels;
    await this.prepareInference();
  }

  /** Compiles the kernels of forward and decoding, all at a time. */
  async prepareInference(): Promise<void> {
    await prepareInference(this.queue, this.#layouts, this.attentionConstants);
  }

  /** Compiles the kernels of backward and the optimizer, all at a time; quick when done before. */
  async prepareTraining(): Promise<void> {
    await prepareTraining(this.queue, this.#layouts, this.attentionConstants);
  }

  destroy(): void {
    this.#pool.destroy();
    this.queue.destroy();
  }
}

/** Of weights that are still in their file. */
function plannedLayouts(
  gguf: GgufFile,
  { layers, tiedEmbeddings }: LlamaConfig,
  embeddingInFile: boolean,
): ModelLayouts {
  const of = (name: string) => {
    const { type } = tensorOf(gguf, name);
    return layoutConstants(LAYOUT_OF[type], scaleKind(type));
  };
  const linears = Array.from({ length: layers }, (_, layer) =>
    Object.values(GGUF_LINEARS).map((name) => of(`blk.${layer}.${name}.weight`)),
  );
  return {
    linears: new Set(linears.flat()),
    head: new Set([of(tiedEmbeddings ? "token_embd.weight" : "output.weight")]),
    embedding: new Set(embeddingInFile ? [] : [of("token_embd.weight")]),
  };
}

/** Of weights that are on the GPU. */
function layoutsOf({ layers, head, embedding }: Pick<Llama, "layers" | "head" | "embedding">): ModelLayouts {
  const of = (...matrices: readonly QuantizedMatrix[]) =>
    new Set(matrices.flatMap(({ parts }) => parts.map(({ constants }) => constants)));
  return {
    linears: of(...layers.flatMap(({ linears }) => Object.values(linears))),
    head: of(head),
    embedding: embedding instanceof EmbeddingRows ? new Set() : of(embedding),
  };
}

/** Waits for all of them, also where one fails: nothing may be uploaded after the pool has been freed. */
async function allDone(uploads: readonly Promise<void>[]): Promise<void> {
  for (const upload of await Promise.allSettled(uploads)) {
    if (upload.status === "rejected") {
      throw upload.reason as Error;
    }
  }
}

function tensorOf(gguf: GgufFile, name: string): GgufTensor {
  const tensor = gguf.tensors.get(name);
  if (tensor === undefined) {
    throw new Error(`expected tensor ${name} in ${gguf.name}, got none (readLlamaConfig checks this)`);
  }
  return tensor;
}
