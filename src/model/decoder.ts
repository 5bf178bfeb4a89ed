/**
 * Decoding on a key/value cache: prefixes that are run once and kept, and branches behind them that go on side by side,
 * each seeing its prefix and itself. Tokens in, next-token logits out.
 */
import { BufferPool } from "../gpu/buffers.ts";
import { rowsCopy, rowsGather, rowsScatter } from "../kernels/rows.ts";
import {
  forward,
  forwardKeysValues,
  forwardLayer,
  type Pass,
  PLAIN_PASS,
  writePlaces,
  writeTokens,
} from "./forward.ts";
import type { LlamaConfig } from "./gguf/config.ts";
import { Head } from "./head.ts";
import type { Llama } from "./llama.ts";
import type { Lora } from "./lora.ts";
import { PickedHead } from "./pickedHead.ts";
import { CACHED_DEPTH, type CachedNode, type CachedRow } from "./rowTree.ts";
import { Workspace } from "./workspace.ts";

/** Rows of one forward; longer runs go in several. */
const CHUNK = 256;
/** Where no more of a forward's rows are asked for, the last layer is run for those only, and for keys and values of all. */
const NARROW = 0.5;
/** Places of one branch's run whose next token may be asked for. */
export const PLACES = 3;
/** Rows that a forward takes in hardly more time than one: on a GPU those that reading the weights is waited for. */
const CHEAP_ROWS = { software: 4, gpu: 32 };
/** Above that a software adapter computes as many rows as fill the tiles of its kernels. */
const SOFTWARE_TILE = 8;

/** Room in the cache, tokens. */
export interface DecoderSize {
  /** Of all prefixes together. */
  readonly prefixes: number;
  readonly branches: number;
  /** Of each branch, its prefix not counted. */
  readonly branch: number;
}

/** What prompts begin with: the tokens that others begin with too, and those behind them; at most CACHED_DEPTH parts. */
export type PrefixParts = readonly (readonly number[])[];

/** Tokens in the cache that branches hang on. */
interface Prefix extends CachedNode {
  readonly parent: Prefix | null;
  readonly ids: readonly number[];
  /** Tokens from the root to its end. */
  readonly length: number;
}

interface Branch {
  prefix: Prefix | null;
  /** Tokens behind the prefix. */
  length: number;
  /** Places of its last run whose states are kept. */
  places: number;
}

/** Tokens to run behind those of a branch. */
export interface Run {
  readonly branch: number;
  readonly ids: readonly number[];
  /** Behind how many of them the next token will be asked for, at most PLACES; by default behind the last. */
  readonly places?: readonly number[];
}

/** Tokens whose logits are asked for. */
export interface Picked {
  readonly branch: number;
  readonly ids: readonly number[];
  /** Which of the places of the branch's last run; by default the first. */
  readonly place?: number;
}

/** Rows of one forward of a decoder. */
export function decoderRows(size: DecoderSize): number {
  return Math.min(CHUNK, cachedTokens(size));
}

/** Tokens that the cache has room for. */
export function cachedTokens({ prefixes, branches, branch }: DecoderSize): number {
  return prefixes + branches * branch;
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
  readonly #states: GPUBuffer; // (branches·PLACES,C) at the places of each branch's last run, after the last layer
  readonly #gathered: GPUBuffer; // (branches·PLACES,C) the same of one forward, side by side
  readonly #from: GPUBuffer; // rows of a forward, and the rows of #states that they go to
  readonly #to: GPUBuffer;
  readonly #workspace: Workspace;
  readonly #head: Head;
  readonly #pickedHead: PickedHead;
  #prefixes: Prefix[] = [];
  /** The adapter's revision that the cache holds keys and values of. */
  #revision: number;
  readonly #branches: Branch[];

  /** @throws Error where a buffer exceeds the device's limits */
  constructor(llama: Llama, lora: Lora | null, size: DecoderSize) {
    const { layers, kvHeads, headDim, hiddenSize } = llama.config;
    this.#llama = llama;
    this.#lora = lora;
    this.size = size;
    this.#revision = lora?.revision ?? 0;
    this.#branches = Array.from({ length: size.branches }, () => ({ prefix: null, length: 0, places: 0 }));
    this.#pool = new BufferPool(llama.queue.gpu);
    const bytes = cachedTokens(size) * kvHeads * headDim * 4;
    try {
      this.#cache = Array.from({ length: layers }, (_, layer) => ({
        k: this.#pool.storage(`k cache ${layer}`, bytes),
        v: this.#pool.storage(`v cache ${layer}`, bytes),
      }));
      const states = size.branches * PLACES;
      this.#states = this.#pool.storage("last states", states * hiddenSize * 4);
      this.#gathered = this.#pool.storage("gathered states", states * hiddenSize * 4);
      this.#from = this.#pool.storage("rows asked for", states * 4);
      this.#to = this.#pool.storage("states of rows", states * 4);
      this.#workspace = new Workspace(llama, decoderRows(size), lora?.R ?? 4, "inference");
      this.#head = new Head(llama);
      this.#pickedHead = new PickedHead(llama, states);
    } catch (error) {
      this.#pool.destroy();
      throw error;
    }
  }

  /** Tokens of a branch, its prefix's included. */
  lengthOf(branch: number): number {
    const { prefix, length } = this.#branch(branch);
    return (prefix?.length ?? 0) + length;
  }

  /** Tokens that a branch has room for: in the cache, and in the model's context. */
  roomIn(branch: number): number {
    const { prefix, length } = this.#branch(branch);
    return Math.min(this.size.branch, this.#llama.config.contextLength - (prefix?.length ?? 0)) - length;
  }

  /** Rows that may join a forward of `rows` rows at hardly any cost. */
  spareRows(rows: number): number {
    if (!this.#llama.queue.gpu.isSoftware) return Math.max(0, CHEAP_ROWS.gpu - rows);
    const { software } = CHEAP_ROWS;
    return (rows <= software ? software : Math.ceil(rows / SOFTWARE_TILE) * SOFTWARE_TILE) - rows;
  }

  /** Empties all branches, and drops all prefixes where the adapter's weights have changed since they were run. */
  begin(): void {
    const revision = this.#lora?.revision ?? 0;
    if (revision !== this.#revision) this.#prefixes = [];
    this.#revision = revision;
    this.#branches.forEach((_, branch) => this.restart(branch));
  }

  /** Whether these prefixes can join those that are kept; where they can't, `forget` makes room. */
  holds(prefixes: readonly PrefixParts[]): boolean {
    return tokensOf(this.#missing(prefixes)) <= this.#room();
  }

  /**
   * Runs those of the prefixes that are not kept yet, all together, and keeps them until `forget`, or until `begin` finds
   * that the adapter's weights have changed.
   * @throws Error where they do not fit beside those that are kept, or the adapter has changed since `begin`
   */
  async keep(prefixes: readonly PrefixParts[]): Promise<void> {
    this.#requireFresh();
    const missing = this.#missing(prefixes);
    checkRoom(tokensOf(missing), this.#room());
    const rows = missing.flatMap(({ ids, first, length, parent }) =>
      ids.map((id, index): Row => {
        const position = length - ids.length + index;
        return { id, place: { position, slot: first + index, start: first, parent } };
      }),
    );
    await this.#run(rows, []);
    this.#prefixes.push(...missing); // not before the pass, which may fail
  }

  /** Drops all prefixes and empties all branches. */
  forget(): void {
    this.#prefixes = [];
    this.#branches.forEach((_, branch) => this.restart(branch));
  }

  /**
   * Empties a branch and hangs it on a prefix.
   * @throws Error where the prefix is not kept
   */
  restart(branch: number, parts: PrefixParts = []): void {
    const prefix = find(this.#prefixes, parts);
    if (prefix === undefined) {
      throw new Error(
        `expected a prefix that is kept, got one of ${parts.flat().length} tokens that is not (call keep)`,
      );
    }
    Object.assign(this.#branch(branch), { prefix, length: 0, places: 0 });
  }

  /** Forgets the last tokens of a branch; what was asked for at the places of its last run stays. */
  cut(branch: number, tokens: number): void {
    const own = this.#branch(branch);
    if (tokens > own.length) {
      throw new RangeError(`expected at most the ${own.length} tokens of branch ${branch} to cut, got ${tokens}`);
    }
    own.length -= tokens;
  }

  /**
   * Runs tokens behind those of their branches, all branches together.
   * @throws Error when they do not fit the cache, or the model's context, or the adapter has changed since `begin`
   */
  async append(runs: readonly Run[]): Promise<void> {
    const rows: Row[] = [];
    const asked: { row: number; state: number }[] = [];
    this.#requireFresh();
    for (const { branch, ids, places = [ids.length] } of runs) {
      checkRoom(ids.length, this.roomIn(branch));
      if (places.length > PLACES) {
        throw new RangeError(`expected at most ${PLACES} places of a run, got ${places.length}`);
      }
      const own = this.#branch(branch);
      const start = this.size.prefixes + branch * this.size.branch;
      const before = this.lengthOf(branch);
      for (const [index, id] of ids.entries()) {
        const slot = start + own.length + index;
        rows.push({ id, place: { position: before + index, slot, start, parent: own.prefix } });
      }
      own.length += ids.length;
      if (ids.length === 0) continue;
      const first = rows.length - ids.length;
      places.forEach((count, i) => asked.push({ row: first + count - 1, state: branch * PLACES + i }));
      own.places = places.length;
    }
    await this.#run(rows, asked);
  }

  /** Logits (V) of the token after a place of a branch's last run. */
  async logits(branch: number, place = 0): Promise<Float32Array> {
    return this.#head.logits(this.#states, this.#stateOf(branch, place));
  }

  /** The same for some tokens at some places only: a logit for each id, in order. */
  async pickedLogits(wanted: readonly Picked[]): Promise<Float32Array[]> {
    const picks = wanted.flatMap(({ branch, ids, place = 0 }) => {
      const row = this.#stateOf(branch, place);
      return ids.map((token) => ({ row, token }));
    });
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

  /** @param asked rows that are kept in #states, and where */
  async #run(rows: readonly Row[], asked: readonly { row: number; state: number }[]): Promise<void> {
    const { queue, config } = this.#llama;
    const c4 = config.hiddenSize / 4;
    // Pieces of one size: a small rest takes longer than its rows do in a large piece.
    const size = Math.ceil(rows.length / Math.ceil(rows.length / this.#workspace.capacity));
    for (let first = 0; first < rows.length; first += size) {
      const chunk = rows.slice(first, first + size);
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
      const here = asked.filter(({ row }) => row >= first && row < first + chunk.length);
      queue.write(
        this.#from,
        0,
        Uint32Array.from(here, ({ row }) => row - first),
      );
      queue.write(
        this.#to,
        0,
        Uint32Array.from(here, ({ state }) => state),
      );
      const last = config.layers - 1;
      const isNarrow = here.length <= NARROW * chunk.length;
      await forward(pass, isNarrow ? last : config.layers);
      if (isNarrow) forwardKeysValues(pass, last);
      if (here.length === 0) continue;
      const moved = { count: here.length, c4, from0: 0, to0: 0 };
      const [before, after] = [last, config.layers].map((at) => this.#workspace.residual[at]) as [GPUBuffer, GPUBuffer];
      const gathered = this.#gathered;
      queue.dispatch(rowsGather, { input: isNarrow ? before : after, index: this.#from, output: gathered }, moved);
      if (isNarrow) {
        queue.dispatch(rowsCopy, { input: gathered, destination: before }, moved);
        const places = here.map(({ row }) => rows[row]?.place as CachedRow);
        const few: Pass = { ...pass, rows: here.length, cached: { layers: this.#cache, rows: places } };
        writePlaces(few, here.length);
        forwardLayer(few, last); // its keys and values come to the same slots again
      }
      queue.dispatch(rowsScatter, { input: isNarrow ? after : gathered, index: this.#to, output: this.#states }, moved);
    }
  }

  #branch(branch: number): Branch {
    const found = this.#branches[branch];
    if (found === undefined) {
      throw new RangeError(`expected a branch below ${this.size.branches}, got ${branch}`);
    }
    return found;
  }

  /** Keys and values of older weights are none of these weights'. */
  #requireFresh(): void {
    if ((this.#lora?.revision ?? 0) !== this.#revision) {
      throw new Error("expected the adapter to stay as it is while answers are written, got a change (call begin)");
    }
  }

  /** Tokens that prefixes still have room for. */
  #room(): number {
    return this.size.prefixes - tokensOf(this.#prefixes);
  }

  /** Prefixes that are to be run, parents first, with their places. */
  #missing(prefixes: readonly PrefixParts[]): Prefix[] {
    const known = [...this.#prefixes];
    for (const parts of prefixes) {
      if (parts.length > CACHED_DEPTH) {
        throw new Error(`expected prefixes of ${CACHED_DEPTH} parts at most, got ${parts.length}`);
      }
      for (let depth = 1; depth <= parts.length; depth++) {
        const ids = parts[depth - 1] ?? [];
        const parent = find(known, parts.slice(0, depth - 1)) ?? null;
        if (find(known, parts.slice(0, depth)) === undefined) {
          const first = tokensOf(known);
          known.push({ ids, parent, first, end: first + ids.length, length: (parent?.length ?? 0) + ids.length });
        }
      }
    }
    return known.slice(this.#prefixes.length);
  }

  /** The row of #states for a place of a branch's last run. */
  #stateOf(branch: number, place: number): number {
    const { places } = this.#branch(branch);
    if (places === 0) {
      throw new Error(`expected tokens in branch ${branch}, got none (call append first)`);
    }
    if (place >= places) {
      throw new RangeError(`expected a place below the ${places} of branch ${branch}'s last run, got ${place}`);
    }
    return branch * PLACES + place;
  }
}

function tokensOf(prefixes: readonly Prefix[]): number {
  return prefixes.reduce((sum, { ids }) => sum + ids.length, 0);
}

/** Null for no parts at all; undefined where it is not among those. */
function find(prefixes: readonly Prefix[], parts: PrefixParts): Prefix | null | undefined {
  let found: Prefix | null = null;
  for (const ids of parts) {
    const above: Prefix | null = found;
    const next: Prefix | undefined = prefixes.find((one) => one.parent === above && isSame(one.ids, ids));
    if (next === undefined) return undefined;
    found = next;
  }
  return found;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
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
