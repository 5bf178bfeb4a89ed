/**
 * The output head on the rows that matter: final norm, logits, cross-entropy and its gradient. Logits exist only for
 * supervised rows, a block of rows and one part of the vocabulary at a time; (T,V) never does.
 */
import { BufferPool } from "../gpu/buffers.ts";
import type { BufferSlice } from "../gpu/queue.ts";
import { crossEntropyAccumulate, crossEntropyBackward, crossEntropyFinish } from "../kernels/cross_entropy.ts";
import { rmsnormBackward, rmsnormForward } from "../kernels/rmsnorm.ts";
import { rowsGather, rowsScatterAdd } from "../kernels/rows.ts";
import { backwardLinear, forwardLinear } from "./linear.ts";
import type { Llama } from "./llama.ts";
import type { QuantizedMatrix } from "./weights.ts";

/** Rows whose logits exist at a time. */
export const HEAD_BLOCK = 64;

/** A supervised row of the residual stream and the token it should predict; another may ask the same row. */
export interface SupervisedRow {
  readonly row: number;
  readonly label: number;
}

/** Blocks of supervised rows that there is room for from the start; the room grows where a pass has more. */
export const HEAD_BLOCKS = 4;

/** Bytes of a softmax' statistics. */
const STATS_BYTES = 16;
/** Bytes of a supervised row: its index, its label, its statistics. */
export const SLOT_BYTES = 4 + 4 + STATS_BYTES;

export class Head {
  readonly #llama: Llama;
  readonly #pool: BufferPool;
  /** The parts of the vocabulary, each as a matrix of its own whose logits have rows of Np. */
  readonly #chunks: readonly QuantizedMatrix[];
  readonly #gathered: GPUBuffer; // (HEAD_BLOCK,C)
  readonly #normed: GPUBuffer; // (HEAD_BLOCK,C)
  readonly #rstd: GPUBuffer;
  readonly #logits: GPUBuffer; // (HEAD_BLOCK, widest Np)
  readonly #total: GPUBuffer; // (Σ −logprob, rows)
  readonly #dNormed: GPUBuffer; // (HEAD_BLOCK,C)
  readonly #dGathered: GPUBuffer; // (HEAD_BLOCK,C)
  readonly #one: GPUBuffer; // the factor of a loss that is summed as it is
  #slots: Slots;
  /** Supervised rows of each block, as they were last given. */
  #blocks: readonly number[] = [];

  constructor(llama: Llama) {
    this.#llama = llama;
    const { head, config } = llama;
    this.#chunks = head.parts.map((part) => ({ ...head, N: part.Np, parts: [{ ...part, n0: 0 }] }));
    const pool = new BufferPool(llama.queue.gpu);
    this.#pool = pool;
    const width = HEAD_BLOCK * config.hiddenSize * 4;
    this.#slots = makeSlots(pool, HEAD_BLOCKS);
    this.#gathered = pool.storage("gathered", width);
    this.#normed = pool.storage("head input", width);
    this.#rstd = pool.storage("head rstd", HEAD_BLOCK * 4);
    this.#logits = pool.storage("logits", HEAD_BLOCK * Math.max(...this.#chunks.map(({ N }) => N)) * 4);
    this.#total = pool.storage("loss total", 16);
    this.#dNormed = pool.storage("d head input", width);
    this.#dGathered = pool.storage("d gathered", width);
    this.#one = pool.upload("one", Float32Array.of(1));
  }

  get gpuBytes(): number {
    return this.#pool.bytes;
  }

  /** Starts a new sum of losses. */
  clearTotal(): void {
    this.#llama.queue.clear(this.#total);
  }

  /** (Σ −logprob, number of rows) since clearTotal. */
  get total(): GPUBuffer {
    return this.#total;
  }

  /** Adds the rows' losses to the total; where `dx` is given, writes the gradient of the SUM of losses there (T,C). */
  loss(hidden: GPUBuffer, supervised: readonly SupervisedRow[], dx: GPUBuffer | null): void {
    this.#supervise(supervised);
    if (dx !== null) {
      this.#llama.queue.clear(dx);
    }
    this.#blocks.forEach((rows, block) => {
      this.#blockStats(hidden, block);
      this.#llama.queue.dispatch(
        crossEntropyFinish,
        { finished: this.#part("stats", block), total: this.#total },
        { n0: 0, N: rows, stride: 0, first: 0, perRow: 0, rows },
      );
      if (dx !== null) {
        this.#blockBackward(block, dx, this.#one, 0);
      }
    });
  }

  /**
   * Softmax statistics (shaders/cross_entropy.wgsl) of every row into `stats`.
   * @returns of each row its slot: its place in `stats`, and in the factors that addGradient takes
   */
  score(hidden: GPUBuffer, supervised: readonly SupervisedRow[]): readonly number[] {
    const slots = this.#supervise(supervised);
    this.#blocks.forEach((_, block) => this.#blockStats(hidden, block));
    return slots;
  }

  /** What `score` found, (slots,4). */
  get stats(): GPUBuffer {
    return this.#slots.stats;
  }

  /** Slots of the rows that were last scored, those between them that hold none included. */
  get slots(): number {
    return this.#blocks.length * HEAD_BLOCK;
  }

  /** dx (T,C) += the gradient of Σ factor × loss over the rows that were last scored. @param factors (slots) */
  addGradient(hidden: GPUBuffer, dx: GPUBuffer, factors: GPUBuffer): void {
    const last = this.#blocks.length - 1;
    for (let block = last; block >= 0; block--) {
      // The last block's logits still lie in the buffer.
      if (block < last) {
        this.#blockStats(hidden, block);
      }
      this.#blockBackward(block, dx, slotsOf(factors, block, 4), 1);
    }
  }

  /** Log-probability of each row's label. */
  async logprobs(hidden: GPUBuffer, supervised: readonly SupervisedRow[]): Promise<number[]> {
    const slots = this.score(hidden, supervised);
    if (slots.length === 0) return [];
    const stats = new Float32Array(await this.#llama.queue.read(this.stats, 0, this.slots * STATS_BYTES));
    return slots.map((slot) => (stats[4 * slot + 2] ?? NaN) - (stats[4 * slot + 3] ?? NaN));
  }

  /** All logits of one row of the residual stream, (V). */
  async logits(hidden: GPUBuffer, row: number): Promise<Float32Array> {
    const { queue, head, config } = this.#llama;
    this.#supervise([{ row, label: 0 }]);
    this.#norm(hidden, 0);
    const logits = new Float32Array(config.vocabSize);
    for (const [index, chunk] of this.#chunks.entries()) {
      const part = head.parts[index];
      if (part !== undefined) {
        forwardLinear(queue, chunk, this.#normed, 1, this.#logits);
        logits.set(new Float32Array(await queue.read(this.#logits, 0, part.N * 4)), part.n0);
      }
    }
    return logits;
  }

  destroy(): void {
    this.#llama.queue.release(this.#pool);
  }

  /** Writes rows and labels in blocks, in none of which a row occurs twice. @returns the slot of each */
  #supervise(supervised: readonly SupervisedRow[]): number[] {
    const { blocks, slots } = arrange(supervised);
    this.#blocks = blocks;
    if (this.slots > this.#slots.count) {
      const { rows, labels, stats } = this.#slots;
      this.#llama.queue.release(this.#pool, [rows, labels, stats]);
      this.#slots = makeSlots(this.#pool, 2 * blocks.length);
    }
    const [rows, labels] = [new Uint32Array(this.slots), new Uint32Array(this.slots)];
    supervised.forEach(({ row, label }, i) => {
      rows[slots[i] ?? 0] = row;
      labels[slots[i] ?? 0] = label;
    });
    this.#llama.queue.write(this.#slots.rows, 0, rows);
    this.#llama.queue.write(this.#slots.labels, 0, labels);
    return slots;
  }

  #part(name: "rows" | "labels" | "stats", block: number): BufferSlice {
    return slotsOf(this.#slots[name], block, name === "stats" ? STATS_BYTES : 4);
  }

  #norm(hidden: GPUBuffer, block: number): void {
    const { queue, config, outputNorm } = this.#llama;
    const { hiddenSize: C, rmsNormEps: eps } = config;
    const rows = this.#blocks[block] ?? 0;
    queue.dispatch(
      rowsGather,
      { input: hidden, index: this.#part("rows", block), output: this.#gathered },
      { count: rows, c4: C / 4, from0: 0, to0: 0 },
    );
    queue.dispatch(
      rmsnormForward,
      { x: this.#gathered, weight: outputNorm, y: this.#normed, rstd: this.#rstd },
      { C, eps, rows },
    );
  }

  /** Softmax statistics of a block's rows, and the logits of the last part of the vocabulary. */
  #blockStats(hidden: GPUBuffer, block: number): void {
    const { queue, head } = this.#llama;
    const rows = this.#blocks[block] ?? 0;
    const [labels, stats] = [this.#part("labels", block), this.#part("stats", block)];
    this.#norm(hidden, block);
    this.#chunks.forEach((chunk, index) => {
      const part = head.parts[index];
      forwardLinear(queue, chunk, this.#normed, rows, this.#logits);
      queue.dispatch(
        crossEntropyAccumulate,
        { logits: this.#logits, labels, stats },
        { n0: part?.n0 ?? 0, N: part?.N ?? 0, stride: chunk.N, first: index === 0 ? 1 : 0, perRow: 0, rows },
      );
    });
  }

  #blockBackward(block: number, dx: GPUBuffer, factors: BufferSlice, perRow: 0 | 1): void {
    const { queue, head, config, outputNorm } = this.#llama;
    const { hiddenSize: C, rmsNormEps: eps } = config;
    const rows = this.#blocks[block] ?? 0;
    const [labels, saved] = [this.#part("labels", block), this.#part("stats", block)];
    this.#chunks.forEach((chunk, index) => {
      const part = head.parts[index];
      // With one part its logits still lie in the buffer.
      if (this.#chunks.length > 1) {
        forwardLinear(queue, chunk, this.#normed, rows, this.#logits);
      }
      queue.dispatch(
        crossEntropyBackward,
        { dlogits: this.#logits, labels, saved, factors },
        { n0: part?.n0 ?? 0, N: part?.N ?? 0, stride: chunk.N, first: 0, perRow, rows },
      );
      backwardLinear(queue, chunk, this.#logits, rows, this.#dNormed, index > 0);
    });
    queue.clear(this.#dGathered, 0, rows * C * 4);
    queue.dispatch(
      rmsnormBackward,
      { x: this.#gathered, weight: outputNorm, saved: this.#rstd, dy: this.#dNormed, dx: this.#dGathered },
      { C, eps, rows },
    );
    queue.dispatch(
      rowsScatterAdd,
      { input: this.#dGathered, index: this.#part("rows", block), output: dx },
      { count: rows, c4: C / 4, from0: 0, to0: 0 },
    );
  }
}

/** Rows, labels and statistics of all that is supervised in a pass; a block's begin at a multiple of 256 bytes. */
interface Slots {
  readonly count: number;
  readonly rows: GPUBuffer;
  readonly labels: GPUBuffer;
  readonly stats: GPUBuffer;
}

function makeSlots(pool: BufferPool, blocks: number): Slots {
  const count = blocks * HEAD_BLOCK;
  return {
    count,
    rows: pool.storage("supervised rows", count * 4),
    labels: pool.storage("labels", count * 4),
    stats: pool.storage("softmax stats", count * STATS_BYTES),
  };
}

function slotsOf(buffer: GPUBuffer, block: number, bytes: number): BufferSlice {
  return { buffer, offset: block * HEAD_BLOCK * bytes, size: HEAD_BLOCK * bytes };
}

/**
 * In blocks whose logits exist at a time, each row into the first that has room and not this row already: gradients of
 * a block are added to their rows side by side.
 */
function arrange(supervised: readonly SupervisedRow[]): { blocks: number[]; slots: number[] } {
  const blocks: Set<number>[] = [];
  let open = 0;
  const slots = supervised.map(({ row }) => {
    let block = open;
    while (blocks[block]?.has(row) === true || blocks[block]?.size === HEAD_BLOCK) block++;
    const rows = (blocks[block] ??= new Set());
    const slot = block * HEAD_BLOCK + rows.size;
    rows.add(row);
    while (blocks[open]?.size === HEAD_BLOCK) open++;
    return slot;
  });
  return { blocks: blocks.map(({ size }) => size), slots };
}
