/** Logits of single tokens at single rows: all that decoding needs where a grammar allows a few. */
import { BufferPool } from "../gpu/buffers.ts";
import { headPicked } from "../kernels/head.ts";
import { rmsnormForward } from "../kernels/rmsnorm.ts";
import type { Llama } from "./llama.ts";

/** Logits that exist at a time. */
export const PICKED_BLOCK = 4096;

/** A token whose logit is asked for at a row of the residual stream. */
export interface Pick {
  readonly row: number;
  readonly token: number;
}

export class PickedHead {
  readonly #llama: Llama;
  readonly #rows: number;
  readonly #pool: BufferPool;
  readonly #normed: GPUBuffer; // (rows,C)
  readonly #rstd: GPUBuffer; // (rows)
  readonly #picks: GPUBuffer; // (PICKED_BLOCK,2)
  readonly #logits: GPUBuffer; // (PICKED_BLOCK)

  /** @param rows of the states that are asked */
  constructor(llama: Llama, rows: number) {
    this.#llama = llama;
    this.#rows = rows;
    this.#pool = new BufferPool(llama.queue.gpu);
    this.#normed = this.#pool.storage("picked states", rows * llama.config.hiddenSize * 4);
    this.#rstd = this.#pool.storage("picked rstd", rows * 4);
    this.#picks = this.#pool.storage("picks", PICKED_BLOCK * 8);
    this.#logits = this.#pool.storage("picked logits", PICKED_BLOCK * 4);
  }

  /** @param states (rows,C), the residual stream after the last layer. @returns a logit for each pick */
  async logits(states: GPUBuffer, picks: readonly Pick[]): Promise<Float32Array> {
    const { queue, head, outputNorm, config } = this.#llama;
    const { hiddenSize: C, rmsNormEps: eps } = config;
    queue.dispatch(
      rmsnormForward,
      { x: states, weight: outputNorm, y: this.#normed, rstd: this.#rstd },
      { C, eps, rows: this.#rows },
    );
    const logits = new Float32Array(picks.length);
    for (let first = 0; first < picks.length; first += PICKED_BLOCK) {
      const block = picks.slice(first, first + PICKED_BLOCK);
      const words = Uint32Array.from(block.flatMap(({ row, token }) => [row, token]));
      queue.write(this.#picks, 0, words);
      for (const part of head.parts) {
        queue.dispatch(
          headPicked,
          { x: this.#normed, picks: this.#picks, words: part.words, scales: part.scales, y: this.#logits },
          { count: block.length, K: C, N: part.N, Np: part.Np, n0: part.n0 },
          part.constants,
          block.length * C,
        );
      }
      logits.set(new Float32Array(await queue.read(this.#logits, 0, block.length * 4)), first);
    }
    return logits;
  }

  destroy(): void {
    this.#llama.queue.release(this.#pool);
  }
}
