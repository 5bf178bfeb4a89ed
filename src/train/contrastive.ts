/** The attention contrastive loss in WGSL, one prompt at a time (OBP-LLM, Eq. 3 and 4; method.md, stage 2). */
import { BufferPool } from "../gpu/buffers.ts";
import { contrastiveLoss, contrastivePool, contrastiveScatter } from "../kernels/contrastive.ts";
import { forward, type Pass, PLAIN_PASS, type QueryKeyReader, writeTokens } from "../model/forward.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { Workspace } from "../model/workspace.ts";
import type { ContrastiveRows } from "./contrastiveRows.ts";

/** method.md: layer 26 of 32, and the same share of another depth. */
export function defaultContrastiveLayer(layers: number): number {
  return Math.min(layers - 1, Math.floor((26 * layers) / 32 + 0.5));
}

export interface ContrastiveOptions {
  /** From 0; null for method.md's default. */
  readonly layer: number | null;
  /** Whether queries and keys are read before RoPE or after. */
  readonly rope: "pre" | "post";
}

/** Lists laid end to end: list i is members[starts[i]] … members[starts[i + 1] − 1]. */
interface Lists {
  readonly starts: GPUBuffer;
  readonly members: GPUBuffer;
}

/** A prompt's loss as a part of its pass. */
interface PromptLoss extends QueryKeyReader {
  /** Loss, cosines and gradient from what `forward` read; `backward` does this itself. */
  evaluate(): void;
}

/** What the loss says of one prompt. */
export interface PromptCosines {
  readonly loss: number;
  /** Cosine of the type with each entity, and with each neighbour, in the rows' order. */
  readonly entities: number[];
  readonly neighbours: number[];
}

/** Prompts of one model, one after the other; cosines and the gradient are those of the last. */
export class ContrastiveLoss {
  readonly layer: number;
  readonly #llama: Llama;
  readonly #rope: "pre" | "post";
  readonly #pool: BufferPool;
  readonly #total: GPUBuffer; // (Σ loss, prompts)
  /** Buffers that hold at least so many numbers, by what they are for; they grow with the prompts. */
  readonly #buffers = new Map<string, GPUBuffer>();

  /** @throws Error where the layer is not the model's */
  constructor(llama: Llama, { layer, rope }: ContrastiveOptions) {
    const { layers, name } = llama.config;
    this.layer = layer ?? defaultContrastiveLayer(layers);
    if (!Number.isInteger(this.layer) || this.layer < 0 || this.layer >= layers) {
      throw new Error(
        `expected contrastiveLayer to be a whole number from 0 to ${layers - 1}, a layer of ${name}, got ${this.layer}`,
      );
    }
    this.#llama = llama;
    this.#rope = rope;
    this.#pool = new BufferPool(llama.queue.gpu);
    this.#total = this.#pool.storage("contrastive total", 16);
  }

  get gpuBytes(): number {
    return this.#pool.bytes;
  }

  /** Starts a new sum of losses. */
  clearTotal(): void {
    this.#llama.queue.clear(this.#total);
  }

  /** (Σ loss, prompts) since clearTotal. */
  async total(): Promise<{ sum: number; prompts: number }> {
    const [sum = NaN, prompts = NaN] = new Float32Array(await this.#llama.queue.read(this.#total, 0, 8));
    return { sum, prompts };
  }

  /** The loss of one prompt as a part of its pass; its gradient counts `weight` times. */
  of(rows: ContrastiveRows, weight: number): PromptLoss {
    const { queue, config } = this.#llama;
    const { heads, kvHeads, headDim: D } = config;
    const keys = [...rows.entities, ...rows.neighbours.map((row) => [row])];
    const V = 1 + keys.length;
    const positives = rows.entities.length;
    const signs = this.#write("signs", [0, ...keys.map((_, i) => (i < positives ? 1 : -1))], Float32Array);
    const counts = this.#write("counts", [rows.type.length, ...keys.map(({ length }) => length)], Float32Array);
    const e = this.#buffer("vectors", V * D);
    const de = this.#buffer("gradient", V * D);
    const cosines = this.#buffer("cosines", 2 * V);
    const typeLists = this.#lists("type", [rows.type]);
    const keyLists = this.#lists("keys", keys);
    const typeRows = inverse([rows.type], 0);
    const keyRows = inverse(keys, 1);
    const typeTouched = this.#write("type rows", typeRows.touched, Uint32Array);
    const keyTouched = this.#write("key rows", keyRows.touched, Uint32Array);
    const typeInverse = this.#lists("type inverse", typeRows.vectors);
    const keyInverse = this.#lists("key inverse", keyRows.vectors);
    const params = { V, D, heads, first: 0, rows: 1, weight };
    const evaluate = (): void =>
      queue.dispatch(contrastiveLoss, { vectors: e, signs, cosines, de, total: this.#total }, params);
    return {
      layers: [this.layer],
      rope: this.#rope,
      read(q, k) {
        queue.dispatch(contrastivePool, { x: q, ...typeLists, e }, params);
        const rest = { ...params, heads: kvHeads, first: 1, rows: keys.length };
        queue.dispatch(contrastivePool, { x: k, ...keyLists, e }, rest);
      },
      evaluate,
      backward(dq, dk) {
        evaluate();
        const shared = { counts, gradient: de };
        const typeParams = { ...params, rows: typeRows.touched.length };
        queue.dispatch(contrastiveScatter, { ...shared, touched: typeTouched, ...typeInverse, dx: dq }, typeParams);
        const keyParams = { ...params, heads: kvHeads, rows: keyRows.touched.length };
        queue.dispatch(contrastiveScatter, { ...shared, touched: keyTouched, ...keyInverse, dx: dk }, keyParams);
      },
    };
  }

  /** Loss and cosines of one prompt, without gradients. @param ids of prompt, response and end token */
  async measure(lora: Lora | null, ids: readonly number[], rows: ContrastiveRows): Promise<PromptCosines> {
    const llama = this.#llama;
    const workspace = new Workspace(llama, ids.length, lora?.R ?? 4, "inference");
    try {
      const queryKeys = this.of(rows, 0);
      const pass: Pass = { ...PLAIN_PASS, llama, lora, workspace, rows: ids.length, queryKeys };
      writeTokens(pass, ids);
      await forward(pass, this.layer + 1);
      this.clearTotal();
      queryKeys.evaluate();
      const V = 1 + rows.entities.length + rows.neighbours.length;
      const pairs = new Float32Array(await llama.queue.read(this.#buffer("cosines", 2 * V), 0, 8 * V));
      const values = Array.from({ length: V - 1 }, (_, i) => pairs[2 * (i + 1)] ?? NaN);
      const count = rows.entities.length;
      const { sum } = await this.total();
      return { loss: sum, entities: values.slice(0, count), neighbours: values.slice(count) };
    } finally {
      workspace.destroy();
    }
  }

  destroy(): void {
    this.#llama.queue.release(this.#pool);
  }

  #lists(label: string, lists: readonly (readonly number[])[]): Lists {
    const starts = [0];
    for (const list of lists) {
      starts.push((starts.at(-1) ?? 0) + list.length);
    }
    return {
      starts: this.#write(`${label} starts`, starts, Uint32Array),
      members: this.#write(`${label} members`, lists.flat(), Uint32Array),
    };
  }

  #write(
    label: string,
    values: readonly number[],
    Type: { from(values: readonly number[]): Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer> },
  ): GPUBuffer {
    const buffer = this.#buffer(label, values.length);
    this.#llama.queue.write(buffer, 0, Type.from(values));
    return buffer;
  }

  #buffer(label: string, count: number): GPUBuffer {
    const present = this.#buffers.get(label);
    if (present !== undefined && present.size >= count * 4) {
      return present;
    }
    if (present !== undefined) {
      this.#llama.queue.release(this.#pool, [present]);
    }
    const made = this.#pool.storage(`contrastive ${label}`, Math.max(64, 2 * count) * 4);
    this.#buffers.set(label, made);
    return made;
  }
}

/** Lists of rows the other way round: each row once, with the vectors (from `first`) it is in. */
function inverse(lists: readonly (readonly number[])[], first: number): { touched: number[]; vectors: number[][] } {
  const vectors = new Map<number, number[]>();
  lists.forEach((rows, i) => rows.forEach((row) => vectors.set(row, [...(vectors.get(row) ?? []), first + i])));
  return { touched: [...vectors.keys()], vectors: [...vectors.values()] };
}
