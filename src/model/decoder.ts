/**
 * Decoding on a key/value cache: a beginning that is run once, and branches behind it that go on side by side, each
 * seeing the beginning and itself. Tokens in, next-token logits out.
 */
import { BufferPool } from "../gpu/buffers.ts";
import { rowsCopy } from "../kernels/rows.ts";
import { forward, type Pass, PLAIN_PASS, writeTokens } from "./forward.ts";
import type { LlamaConfig } from "./gguf/config.ts";
import { Head } from "./head.ts";
import type { Llama } from "./llama.ts";
import type { Lora } from "./lora.ts";
import { PickedHead } from "./pickedHead.ts";
import type { CachedRow } from "./rowTree.ts";
import { Workspace } from "./workspace.ts";

/** Rows of one forward; longer runs go in several. */
const CHUNK = 256;

/** Room in the cache, tokens. */
export interface DecoderSize {
  /** Of the beginning. */
  readonly beginning: number;
  readonly branches: number;
  /** Of each branch, its beginning not counted. */
  readonly branch: number;
}

/** Tokens to run behind those of a branch. */
export interface Run {
  readonly branch: number;
  readonly ids: readonly number[];
}

/** Rows of one forward of a decoder. */
export function decoderRows({ beginning, branches, branch }: DecoderSize): number {
  return Math.min(CHUNK, beginning + branches * branch);
}

/** GPU bytes of the keys and values of one token. */
export function cacheBytesPerToken({ layers, kvHeads, headDim }: LlamaConfig): number {
  return layers * 2 * kvHeads * headDim * 4;
}

export class Decoder {
  readonly size: DecoderSize;
  readonly #llama: Llama;
  readonly #lora: Lora | null;
  readonly #pool: BufferPool;
  readonly #cache: readonly { readonly k: GPUBuffer; readonly v: GPUBuffer }[];
  readonly #states: GPUBuffer; // (branches,C) of each branch's last token, after the last layer
  readonly #workspace: Workspace;
  readonly #head: Head;
  readonly #pickedHead: PickedHead;
  #beginning: readonly number[] = [];
  /** Tokens of each branch. */
  readonly #lengths: number[];

  /** @throws Error where a buffer exceeds the device's limits */
  constructor(llama: Llama, lora: Lora | null, size: DecoderSize) {
    const { layers, kvHeads, headDim, hiddenSize } = llama.config;
    this.#llama = llama;
    this.#lora = lora;
    this.size = size;
    this.#lengths = Array.from({ length: size.branches }, () => 0);
    this.#pool = new BufferPool(llama.queue.gpu);
    const tokens = size.beginning + size.branches * size.branch;
    const bytes = tokens * kvHeads * headDim * 4;
    try {
      this.#cache = Array.from({ length: layers }, (_, layer) => ({
        k: this.#pool.storage(`k cache ${layer}`, bytes),
        v: this.#pool.storage(`v cache ${layer}`, bytes),
      }));
      this.#states = this.#pool.storage("last states", size.branches * hiddenSize * 4);
      this.#workspace = new Workspace(llama, decoderRows(size), lora?.R ?? 4, "inference");
      this.#head = new Head(llama);
      this.#pickedHead = new PickedHead(llama, size.branches);
    } catch (error) {
      this.#pool.destroy();
      throw error;
    }
  }

  /** Tokens of a branch, the beginning's included. */
  lengthOf(branch: number): number {
    return this.#beginning.length + (this.#lengths[branch] ?? 0);
  }

  /** Tokens that a branch has room for: in the cache, and in the model's context. */
  roomIn(branch: number): number {
    const length = this.#lengths[branch];
    if (length === undefined) {
      throw new RangeError(`expected a branch below ${this.size.branches}, got ${branch}`);
    }
    const { contextLength } = this.#llama.config;
    return Math.min(this.size.branch, contextLength - this.#beginning.length) - length;
  }

  /** Makes the beginning exactly `ids`, reusing what it shares with the one before, and empties all branches. */
  async begin(ids: readonly number[]): Promise<void> {
    checkRoom(ids.length, this.size.beginning);
    const differs = ids.findIndex((id, index) => id !== this.#beginning[index]);
    const shared = differs === -1 ? ids.length : differs;
    this.#lengths.fill(0);
    this.#beginning = ids.slice(0, shared); // in case the pass fails
    const rows = ids.slice(shared).map((id, index) => {
      const position = shared + index;
      return { id, place: { position, slot: position, prefix: 0, start: 0 } };
    });
    await this.#run(rows, []);
    this.#beginning = [...ids];
  }

  /** Empties a branch. */
  restart(branch: number): void {
    this.#lengths[branch] = 0;
  }

  /**
   * Runs tokens behind those of their branches, all branches together.
   * @throws Error when they do not fit the cache, or the model's context
   */
  async append(runs: readonly Run[]): Promise<void> {
    const rows: Row[] = [];
    const ends: { row: number; branch: number }[] = [];
    for (const { branch, ids } of runs) {
      checkRoom(ids.length, this.roomIn(branch));
      const before = this.#lengths[branch] ?? 0;
      const start = this.size.beginning + branch * this.size.branch;
      for (const [index, id] of ids.entries()) {
        const at = before + index;
        const position = this.#beginning.length + at;
        rows.push({ id, place: { position, slot: start + at, prefix: this.#beginning.length, start } });
      }
      this.#lengths[branch] = before + ids.length;
      if (ids.length > 0) ends.push({ row: rows.length - 1, branch });
    }
    await this.#run(rows, ends);
  }

  /** Logits (V) of the token after a branch's last one. */
  async logits(branch: number): Promise<Float32Array> {
    this.#requireTokens(branch);
    return this.#head.logits(this.#states, branch);
  }

  /** The same for some tokens of some branches only: a logit for each id, in order. */
  async pickedLogits(wanted: readonly Run[]): Promise<Float32Array[]> {
    wanted.forEach(({ branch }) => this.#requireTokens(branch));
    const picks = wanted.flatMap(({ branch, ids }) => ids.map((token) => ({ row: branch, token })));
    const logits = await this.#pickedHead.logits(this.#states, picks);
    let first = 0;
    return wanted.map(({ ids }) => logits.subarray(first, (first += ids.length)));
  }

  destroy(): void {
    this.#llama.queue.release(this.#pool);
    this.#workspace.destroy();
    this.#head.destroy();
    this.#pickedHead.destroy();
  }

  /** @param ends rows whose state is a branch's last one */
  async #run(rows: readonly Row[], ends: readonly { row: number; branch: number }[]): Promise<void> {
    const { queue, config } = this.#llama;
    const c4 = config.hiddenSize / 4;
    for (let first = 0; first < rows.length; first += this.#workspace.capacity) {
      const chunk = rows.slice(first, first + this.#workspace.capacity);
      const pass: Pass = {
        ...PLAIN_PASS,
        llama: this.#llama,
        lora: this.#lora,
        workspace: this.#workspace,
        rows: chunk.length,
        cached: { layers: this.#cache, rows: chunk.map(({ place }) => place) },
      };
      writeTokens(
        pass,
        chunk.map(({ id }) => id),
      );
      await forward(pass);
      const last = this.#workspace.residual[config.layers] as GPUBuffer;
      for (const { row, branch } of ends) {
        if (row >= first && row < first + chunk.length) {
          const copy = { count: 1, c4, from0: (row - first) * c4, to0: branch * c4 };
          queue.dispatch(rowsCopy, { input: last, destination: this.#states }, copy);
        }
      }
    }
  }

  #requireTokens(branch: number): void {
    if ((this.#lengths[branch] ?? 0) === 0) {
      throw new Error(`expected tokens in branch ${branch}, got none (call append first)`);
    }
  }
}

function checkRoom(tokens: number, room: number): void {
  if (tokens > room) {
    throw new Error(
      `expected room for ${tokens} tokens, got ${room} (shorten the sentence or choose a model with a longer context)`,
    );
  }
}

interface Row {
  readonly id: number;
  readonly place: CachedRow;
}
