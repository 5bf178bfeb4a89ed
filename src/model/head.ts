/**
 * The output head on the rows that matter: final norm, logits, cross-entropy and its gradient. Logits exist only for
 * supervised rows, a block of rows and one part of the vocabulary at a time; (T,V) never does.
 */
import { BufferPool } from "../gpu/buffers.ts";
import { crossEntropyAccumulate, crossEntropyBackward, crossEntropyFinish } from "../kernels/cross_entropy.ts";
import { dpoSum } from "../kernels/dpo.ts";
import { rmsnormBackward, rmsnormForward } from "../kernels/rmsnorm.ts";
import { rowsGather, rowsScatterAdd } from "../kernels/rows.ts";
import { backwardLinear, forwardLinear } from "./linear.ts";
import type { Llama } from "./llama.ts";
import type { QuantizedMatrix } from "./weights.ts";

/** Rows whose logits exist at a time. */
export const HEAD_BLOCK = 64;

/** A supervised row of the residual stream and the token it should predict. */
export interface SupervisedRow {
  readonly row: number;
  readonly label: number;
}

export class Head {
  readonly #llama: Llama;
  readonly #pool: BufferPool;
  /** The parts of the vocabulary, each as a matrix of its own whose logits have rows of Np. */
  readonly #chunks: readonly QuantizedMatrix[];
  readonly #rows: GPUBuffer;
  readonly #labels: GPUBuffer;
  readonly #gathered: GPUBuffer; // (HEAD_BLOCK,C)
  readonly #normed: GPUBuffer; // (HEAD_BLOCK,C)
  readonly #rstd: GPUBuffer;
  readonly #logits: GPUBuffer; // (HEAD_BLOCK, widest Np)
  readonly #stats: GPUBuffer; // (HEAD_BLOCK,4)
  readonly #total: GPUBuffer; // (Σ −logprob, rows)
  readonly #dNormed: GPUBuffer; // (HEAD_BLOCK,C)
  readonly #dGathered: GPUBuffer; // (HEAD_BLOCK,C)
  readonly #one: GPUBuffer; // the factor of a loss that is summed as it is

  constructor(llama: Llama) {
    this.#llama = llama;
    const { head, config } = llama;
    this.#chunks = head.parts.map((part) => ({ ...head, N: part.Np, parts: [{ ...part, n0: 0 }] }));
    const pool = new BufferPool(llama.queue.gpu);
    this.#pool = pool;
    const width = HEAD_BLOCK * config.hiddenSize * 4;
    this.#rows = pool.storage("supervised rows", HEAD_BLOCK * 4);
    this.#labels = pool.storage("labels", HEAD_BLOCK * 4);
    this.#gathered = pool.storage("gathered", width);
    this.#normed = pool.storage("head input", width);
    this.#rstd = pool.storage("head rstd", HEAD_BLOCK * 4);
    this.#logits = pool.storage("logits", HEAD_BLOCK * Math.max(...this.#chunks.map(({ N }) => N)) * 4);
    this.#stats = pool.storage("softmax stats", HEAD_BLOCK * 16);
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
    if (dx !== null) {
      this.#llama.queue.clear(dx);
    }
    for (const block of blocks(supervised)) {
      this.#blockLoss(hidden, block);
      if (dx !== null) {
        this.#blockBackward(block.length, dx, this.#one, 0);
      }
    }
  }

  /** sums[side] = Σ log-probabilities of the rows' labels, of one answer of a preference pair (kernels/dpo.ts). */
  sumLogprobs(hidden: GPUBuffer, supervised: readonly SupervisedRow[], sums: GPUBuffer, side: 0 | 1): void {
    for (const [index, block] of blocks(supervised).entries()) {
      this.#blockStats(hidden, block);
      this.#llama.queue.dispatch(
        dpoSum,
        { stats: this.#stats, sums },
        {
          ...{ rows: block.length, side, first: index === 0 ? 1 : 0 },
          ...{ refChosen: 0, refRejected: 0, beta: 0, lambda: 0, pairShare: 0, tokenShare: 0 },
        },
      );
    }
  }

  /** dx (T,C) += the gradient of factors[factor] × the sum of the rows' losses. Logits are made anew. */
  addGradient(
    hidden: GPUBuffer,
    supervised: readonly SupervisedRow[],
    dx: GPUBuffer,
    factors: GPUBuffer,
    factor: number,
  ): void {
    for (const block of blocks(supervised)) {
      this.#blockStats(hidden, block);
      this.#blockBackward(block.length, dx, factors, factor);
    }
  }

  /** Log-probability of each row's label. */
  async logprobs(hidden: GPUBuffer, supervised: readonly SupervisedRow[]): Promise<number[]> {
    const logprobs: number[] = [];
    for (const block of blocks(supervised)) {
      this.#blockStats(hidden, block);
      const stats = new Float32Array(await this.#llama.queue.read(this.#stats, 0, block.length * 16));
      block.forEach((_, row) => logprobs.push((stats[4 * row + 2] ?? NaN) - (stats[4 * row + 3] ?? NaN)));
    }
    return logprobs;
  }

  /** All logits of one row of the residual stream, (V). */
  async logits(hidden: GPUBuffer, row: number): Promise<Float32Array> {
    const { queue, head, config } = this.#llama;
    this.#norm(hidden, [{ row, label: 0 }]);
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

  #norm(hidden: GPUBuffer, block: readonly SupervisedRow[]): void {
    const { queue, config, outputNorm } = this.#llama;
    const { hiddenSize: C, rmsNormEps: eps } = config;
    const rows = block.length;
    queue.write(
      this.#rows,
      0,
      Uint32Array.from(block, ({ row }) => row),
    );
    queue.dispatch(
      rowsGather,
      { input: hidden, index: this.#rows, output: this.#gathered },
      { count: rows, c4: C / 4, from0: 0, to0: 0 },
    );
    queue.dispatch(
      rmsnormForward,
      { x: this.#gathered, weight: outputNorm, y: this.#normed, rstd: this.#rstd },
      { C, eps, rows },
    );
  }

  #blockLoss(hidden: GPUBuffer, block: readonly SupervisedRow[]): void {
    this.#blockStats(hidden, block);
    this.#llama.queue.dispatch(
      crossEntropyFinish,
      { finished: this.#stats, total: this.#total },
      { n0: 0, N: block.length, stride: 0, first: 0, factor: 0, rows: block.length },
    );
  }

  /** Softmax statistics of the rows, and the logits of the last part of the vocabulary. */
  #blockStats(hidden: GPUBuffer, block: readonly SupervisedRow[]): void {
    const { queue, head } = this.#llama;
    const rows = block.length;
    this.#norm(hidden, block);
    queue.write(
      this.#labels,
      0,
      Uint32Array.from(block, ({ label }) => label),
    );
    this.#chunks.forEach((chunk, index) => {
      const part = head.parts[index];
      forwardLinear(queue, chunk, this.#normed, rows, this.#logits);
      queue.dispatch(
        crossEntropyAccumulate,
        { logits: this.#logits, labels: this.#labels, stats: this.#stats },
        { n0: part?.n0 ?? 0, N: part?.N ?? 0, stride: chunk.N, first: index === 0 ? 1 : 0, factor: 0, rows },
      );
    });
  }

  #blockBackward(rows: number, dx: GPUBuffer, factors: GPUBuffer, factor: number): void {
    const { queue, head, config, outputNorm } = this.#llama;
    const { hiddenSize: C, rmsNormEps: eps } = config;
    this.#chunks.forEach((chunk, index) => {
      const part = head.parts[index];
      // With one part its logits still lie in the buffer.
      if (this.#chunks.length > 1) {
        forwardLinear(queue, chunk, this.#normed, rows, this.#logits);
      }
      queue.dispatch(
        crossEntropyBackward,
        { dlogits: this.#logits, labels: this.#labels, saved: this.#stats, factors },
        { n0: part?.n0 ?? 0, N: part?.N ?? 0, stride: chunk.N, first: 0, factor, rows },
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
      { input: this.#dGathered, index: this.#rows, output: dx },
      { count: rows, c4: C / 4, from0: 0, to0: 0 },
    );
  }
}

/** In pieces whose logits exist at a time. */
function blocks(supervised: readonly SupervisedRow[]): SupervisedRow[][] {
  const pieces: SupervisedRow[][] = [];
  for (let first = 0; first < supervised.length; first += HEAD_BLOCK) {
    pieces.push(supervised.slice(first, first + HEAD_BLOCK));
  }
  return pieces;
}
