/**
 * Embedding rows of the pass's tokens: gathered from quantized weights on the GPU, or, where the head is a table of its
 * own and memory is short, read from the model's file. A pass needs T of the V rows, and the table of an 8B takes 0.3 GB.
 */
import { dequantize } from "./gguf/dequantize.ts";
import type { GgufTensor } from "./gguf/header.ts";
import { rowBytes } from "./gguf/types.ts";
import type { QuantizedMatrix } from "./weights.ts";

/** Rows that stay in JavaScript's memory: a support set's tokens come again in every epoch. */
const KEPT_BYTES = 64 * 2 ** 20;

/** A table (V, C) that stays in the model's file. */
export class EmbeddingRows {
  readonly #tensor: GgufTensor;
  readonly #rows: number;
  readonly #width: number;
  readonly #mostKept: number;
  /** By token, least recently used first. */
  readonly #kept = new Map<number, Float32Array<ArrayBuffer>>();

  constructor(tensor: GgufTensor, keptBytes = KEPT_BYTES) {
    const [V = 0, C = 1] = tensor.shape;
    this.#tensor = tensor;
    this.#rows = V;
    this.#width = C;
    this.#mostKept = Math.floor(keptBytes / (C * 4));
  }

  /** Rows in JavaScript's memory now. */
  get keptRows(): number {
    return this.#kept.size;
  }

  /**
   * The tokens' rows, (ids, C), bit for bit those of the kernel that gathers on the GPU.
   * @throws RangeError on a token that the table lacks; what the file's source throws where it cannot be read any more
   */
  async read(ids: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const rows = new Map<number, Float32Array<ArrayBuffer>>();
    await Promise.all(
      [...new Set(ids)].map(async (id) => {
        rows.set(id, this.#kept.get(id) ?? (await this.#readRow(id)));
      }),
    );
    const x = new Float32Array(ids.length * this.#width);
    ids.forEach((id, t) => x.set(rows.get(id) ?? [], t * this.#width));
    for (const [id, row] of rows) {
      this.#kept.delete(id);
      this.#kept.set(id, row);
    }
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= this.#mostKept) {
        break;
      }
      this.#kept.delete(id);
    }
    return x;
  }

  async #readRow(id: number): Promise<Float32Array<ArrayBuffer>> {
    const { type, source, offset, name } = this.#tensor;
    if (!Number.isInteger(id) || id < 0 || id >= this.#rows) {
      throw new RangeError(`expected a token below ${this.#rows}, the rows of ${name}, got ${id}`);
    }
    const bytes = rowBytes(type, this.#width);
    const row = dequantize(type, await source.read(offset + id * bytes, bytes), this.#width);
    // Zeros of a negative scale: −0 in the file's own arithmetic, +0 in the layout of the GPU (gguf/pack.ts).
    return type === "Q4_0" ? row.map((value) => value + 0) : row;
  }
}

/** Where a model's embedding is. */
export type Embedding = QuantizedMatrix | EmbeddingRows;
