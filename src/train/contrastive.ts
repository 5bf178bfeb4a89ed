/** The attention contrastive loss in WGSL, on the prompts of a pass (OBP-LLM, Eq. 3 and 4; method.md, stage 2). */
import { contrastiveLoss, contrastivePool, contrastiveScatter, contrastiveSum } from "../kernels/contrastive.ts";
import { forward, type Pass, PLAIN_PASS, type QueryKeyReader, writeTokens } from "../model/forward.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { Workspace } from "../model/workspace.ts";
import type { ContrastiveRows } from "./contrastiveRows.ts";
import { inverseLists, PassBuffers, startsOf } from "./passBuffers.ts";

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

/** The loss of some prompts as a part of their pass. */
interface PassLoss extends QueryKeyReader {
  /** Losses, cosines and gradient from what `read` found; `backward` does this itself. */
  evaluate(): void;
}

/** What the loss says of one prompt. */
export interface PromptCosines {
  readonly loss: number;
  /** Cosine of the type with each entity, and with each neighbour, in the rows' order. */
  readonly entities: number[];
  readonly neighbours: number[];
}

/** Prompts of one model, pass after pass; cosines and the gradient are those of the last. */
export class ContrastiveLoss {
  readonly layer: number;
  readonly #llama: Llama;
  readonly #rope: "pre" | "post";
  readonly #buffers: PassBuffers;
  readonly #total: GPUBuffer; // (Σ loss, prompts)

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
    this.#buffers = new PassBuffers(llama.queue, "contrastive");
    this.#total = this.#buffers.buffer("total", 2);
  }

  get gpuBytes(): number {
    return this.#buffers.bytes;
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

  /**
   * The loss of prompts as a part of their pass; its gradient counts `weight` times.
   * @param prompts with rows of the pass; several may have rows in common
   */
  of(prompts: readonly ContrastiveRows[], weight: number): PassLoss {
    const { queue, config } = this.#llama;
    const { heads, kvHeads, headDim: D } = config;
    const types = prompts.map(({ type }) => type);
    const keysOf = prompts.map(({ entities, neighbours }) => [...entities, ...neighbours.map((row) => [row])]);
    const keys = keysOf.flat();
    const P = prompts.length;
    const V = P + keys.length;
    const keySigns = prompts.flatMap(({ entities, neighbours }) => [
      ...entities.map(() => 1),
      ...neighbours.map(() => -1),
    ]);
    const buffers = this.#buffers;
    const ranges = buffers.indices("ranges", startsOf(keysOf, P));
    const signs = buffers.floats("signs", [...types.map(() => 0), ...keySigns]);
    const counts = buffers.floats(
      "counts",
      [...types, ...keys].map(({ length }) => length),
    );
    const e = buffers.buffer("vectors", V * D);
    const de = buffers.buffer("gradient", V * D);
    const cosines = buffers.buffer("cosines", 2 * V);
    const losses = buffers.buffer("losses", P);
    const typeLists = buffers.lists("type", types);
    const keyLists = buffers.lists("keys", keys);
    const typeRows = inverseLists(types, 0);
    const keyRows = inverseLists(keys, P);
    const typeTouched = buffers.indices("type rows", [...typeRows.keys()]);
    const keyTouched = buffers.indices("key rows", [...keyRows.keys()]);
    const typeInverse = buffers.lists("type inverse", [...typeRows.values()]);
    const keyInverse = buffers.lists("key inverse", [...keyRows.values()]);
    const params = { D, heads, first: 0, rows: P, weight };
    const evaluate = (): void => {
      queue.dispatch(contrastiveLoss, { vectors: e, ranges, signs, cosines, de, losses }, params);
      queue.dispatch(contrastiveSum, { found: losses, total: this.#total }, params);
    };
    return {
      layers: [this.layer],
      rope: this.#rope,
      read(q, k) {
        queue.dispatch(contrastivePool, { x: q, ...typeLists, e }, params);
        const rest = { ...params, heads: kvHeads, first: P, rows: keys.length };
        queue.dispatch(contrastivePool, { x: k, ...keyLists, e }, rest);
      },
      evaluate,
      backward(dq, dk) {
        evaluate();
        const shared = { counts, gradient: de };
        const typeParams = { ...params, rows: typeRows.size };
        queue.dispatch(contrastiveScatter, { ...shared, touched: typeTouched, ...typeInverse, dx: dq }, typeParams);
        const keyParams = { ...params, heads: kvHeads, rows: keyRows.size };
        queue.dispatch(contrastiveScatter, { ...shared, touched: keyTouched, ...keyInverse, dx: dk }, keyParams);
      },
    };
  }

  /** Loss and cosines of one prompt, without gradients. @param ids of prompt, response and end token */
  async measure(lora: Lora | null, ids: readonly number[], rows: ContrastiveRows): Promise<PromptCosines> {
    const llama = this.#llama;
    const workspace = new Workspace(llama, ids.length, lora?.R ?? 4, "inference");
    try {
      const queryKeys = this.of([rows], 0);
      const pass: Pass = { ...PLAIN_PASS, llama, lora, workspace, rows: ids.length, queryKeys };
      writeTokens(pass, ids);
      await forward(pass, this.layer + 1);
      this.clearTotal();
      queryKeys.evaluate();
      const V = 1 + rows.entities.length + rows.neighbours.length;
      const pairs = new Float32Array(await llama.queue.read(this.#buffers.buffer("cosines", 2 * V), 0, 8 * V));
      const values = Array.from({ length: V - 1 }, (_, i) => pairs[2 * (i + 1)] ?? NaN);
      const count = rows.entities.length;
      const { sum } = await this.total();
      return { loss: sum, entities: values.slice(0, count), neighbours: values.slice(count) };
    } finally {
      workspace.destroy();
    }
  }

  destroy(): void {
    this.#buffers.destroy();
  }
}
