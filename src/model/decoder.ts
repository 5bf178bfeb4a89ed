/** Decoding on a key/value cache: tokens in, next-token logits out; the cache can be cut back to a shared prefix. */
import { BufferPool } from "../gpu/buffers.ts";
import { forward, type Pass, PLAIN_PASS, writeTokens } from "./forward.ts";
import { Head } from "./head.ts";
import type { Llama } from "./llama.ts";
import type { Lora } from "./lora.ts";
import { Workspace } from "./workspace.ts";

/** Rows of one forward; a longer prompt goes in several. */
const CHUNK = 256;

export class Decoder {
  readonly #llama: Llama;
  readonly #lora: Lora | null;
  readonly #pool: BufferPool;
  readonly #cache: readonly { readonly k: GPUBuffer; readonly v: GPUBuffer }[];
  readonly #workspace: Workspace;
  readonly #head: Head;
  readonly capacity: number;
  #ids: number[] = [];
  /** Row of the workspace that holds the last token's state. */
  #lastRow = -1;

  /**
   * @param capacity most tokens of a sequence, at most the model's context
   * @throws Error where a buffer exceeds the device's limits
   */
  constructor(llama: Llama, lora: Lora | null, capacity: number) {
    const { layers, kvHeads, headDim, contextLength } = llama.config;
    this.#llama = llama;
    this.#lora = lora;
    this.capacity = Math.min(capacity, contextLength);
    this.#pool = new BufferPool(llama.queue.gpu);
    const bytes = this.capacity * kvHeads * headDim * 4;
    try {
      this.#cache = Array.from({ length: layers }, (_, layer) => ({
        k: this.#pool.storage(`k cache ${layer}`, bytes),
        v: this.#pool.storage(`v cache ${layer}`, bytes),
      }));
      this.#workspace = new Workspace(llama, Math.min(CHUNK, this.capacity), lora?.R ?? 4, "inference");
      this.#head = new Head(llama);
    } catch (error) {
      this.#pool.destroy();
      throw error;
    }
  }

  /** Tokens in the cache. */
  get length(): number {
    return this.#ids.length;
  }

  /** Makes the cache hold exactly `ids`, reusing the longest prefix it already holds. */
  async reset(ids: readonly number[]): Promise<void> {
    let shared = 0;
    // The last token is always run again: its state is what the next logits are read from.
    while (shared < ids.length - 1 && shared < this.#ids.length && ids[shared] === this.#ids[shared]) {
      shared++;
    }
    this.#ids = this.#ids.slice(0, shared);
    this.#lastRow = -1;
    await this.append(ids.slice(shared));
  }

  /**
   * Runs tokens behind those in the cache.
   * @throws Error when they do not fit the cache
   */
  async append(ids: readonly number[]): Promise<void> {
    if (this.length + ids.length > this.capacity) {
      throw new Error(
        `expected at most ${this.capacity} tokens, got ${this.length + ids.length} (shorten the sentence or choose a model with a longer context)`,
      );
    }
    for (let first = 0; first < ids.length; first += this.#workspace.capacity) {
      const chunk = ids.slice(first, first + this.#workspace.capacity);
      const pass: Pass = {
        ...PLAIN_PASS,
        llama: this.#llama,
        lora: this.#lora,
        workspace: this.#workspace,
        rows: chunk.length,
        offset: this.length,
        cache: this.#cache,
      };
      writeTokens(pass, chunk);
      await forward(pass);
      this.#ids.push(...chunk);
      this.#lastRow = chunk.length - 1;
    }
  }

  /** Logits (V) of the token after the last one. */
  logits(): Promise<Float32Array> {
    const hidden = this.#workspace.residual[this.#llama.config.layers];
    if (this.#lastRow < 0 || hidden === undefined) {
      throw new Error("expected tokens in the cache, got none (call reset or append first)");
    }
    return this.#head.logits(hidden, this.#lastRow);
  }

  destroy(): void {
    this.#llama.queue.release(this.#pool);
    this.#workspace.destroy();
    this.#head.destroy();
  }
}
