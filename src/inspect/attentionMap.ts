/**
 * Attention of a response over its prompt (OBP-LLM, Fig. 1 and 4; method.md, Figures): the row of response token i is
 * its query, columns are the prompt's tokens, not renormalised. Memory is rows × columns × heads × layers asked.
 */
import { BufferPool } from "../gpu/buffers.ts";
import type { KernelDefinition } from "../gpu/kernel.ts";
import { attentionMapLse, attentionMapMass, attentionMapMean, attentionMapWeights } from "../kernels/attention_map.ts";
import { forward, type Pass, PLAIN_PASS, type QueryKeyReader, writeTokens } from "../model/forward.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { Workspace } from "../model/workspace.ts";

/** A head, the mean over all, or each of all. */
export type HeadChoice = number | "mean" | "all";

export interface AttentionAsked {
  readonly layers: readonly number[];
  readonly head: HeadChoice;
  /** Token indices of the queries. */
  readonly rows: readonly number[];
  /** The first so many tokens are the keys shown. */
  readonly columns: number;
}

export interface MapOptions {
  /** Looked at before each layer. */
  readonly signal?: AbortSignal;
  /** Hears layers done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** @throws Error where the model has no such layer or head */
export function checkLayerAndHead({ name, layers, heads }: LlamaConfig, layer: number, head: HeadChoice): void {
  if (!Number.isInteger(layer) || layer < 0 || layer >= layers) {
    throw new Error(`expected a layer from 0 to ${layers - 1}, those of ${name}, got ${layer}`);
  }
  if (typeof head === "number" && (!Number.isInteger(head) || head < 0 || head >= heads)) {
    throw new Error(`expected a head from 0 to ${heads - 1}, those of ${name}, or mean or all, got ${head}`);
  }
}

/**
 * @param ids of prompt, response and end token
 * @returns of each layer asked the probabilities (heads, rows, columns): one head or the mean as the only one, or all
 * @throws Error where layer, head, rows or columns are not there, memory does not suffice, or attention is NaN; AbortError
 * when stopped
 */
export async function attentionMaps(
  llama: Llama,
  lora: Lora | null,
  ids: readonly number[],
  { layers, head, rows, columns }: AttentionAsked,
  options: MapOptions = {},
): Promise<Float32Array[]> {
  const { queue, config } = llama;
  layers.forEach((layer) => checkLayerAndHead(config, layer, head));
  if (rows.length === 0 || columns < 1 || columns > ids.length || rows.some((row) => !(row >= 0 && row < ids.length))) {
    throw new Error(
      `expected rows and columns within the ${ids.length} tokens, got rows ${rows.join(", ")} and ${columns} columns`,
    );
  }
  const heads = typeof head === "number" ? [head] : allHeads(config);
  const kernel = head === "mean" ? attentionMapMean : attentionMapWeights;
  await prepare(llama, [attentionMapLse, kernel]);
  const pool = new BufferPool(queue.gpu);
  try {
    const asked = pool.upload("rows and heads asked", Uint32Array.from([...rows, ...heads]));
    const known = pool.storage("attention sums", rows.length * heads.length * 4);
    const count = rows.length * columns * (head === "mean" ? 1 : heads.length);
    const maps = layers.map((layer) => pool.storage(`attention map of layer ${layer}`, count * 4));
    const params = { ...shapeOf(config), rows: rows.length, heads: heads.length, keys: columns, sets: 0, first: 0 };
    const work = rows.length * heads.length * config.headDim;
    await readLayers(llama, lora, ids, layers, options, (q, k, layer) => {
      const probabilities = maps[layers.indexOf(layer)] as GPUBuffer;
      queue.dispatch(attentionMapLse, { q, k, asked, sums: known }, params, undefined, work * ids.length);
      queue.dispatch(kernel, { q, k, asked, known, probabilities }, params, undefined, work * columns);
    });
    const read: Float32Array[] = [];
    for (const map of maps) {
      const weights = new Float32Array(await queue.read(map, 0, count * 4));
      checkNumbers(weights);
      read.push(weights);
    }
    return read;
  } finally {
    queue.release(pool);
  }
}

/**
 * How much of each row's attention falls on sets of tokens, in all layers and heads, in one pass.
 * @param rows token indices of the queries
 * @param sets token indices, e.g. of all gold entities
 * @returns of each set (layers, heads), the mean over the rows
 * @throws Error where a row or token is not there, or attention is NaN; AbortError when stopped
 */
export async function attentionMass(
  llama: Llama,
  lora: Lora | null,
  ids: readonly number[],
  rows: readonly number[],
  sets: readonly (readonly number[])[],
  options: MapOptions = {},
): Promise<number[][][]> {
  const { queue, config } = llama;
  const missing = [...rows, ...sets.flat()].find((row) => !(row >= 0 && row < ids.length));
  if (rows.length === 0 || missing !== undefined) {
    throw new Error(`expected rows and sets within the ${ids.length} tokens, got ${missing ?? "no row"}`);
  }
  await prepare(llama, [attentionMapLse, attentionMapMass]);
  const pool = new BufferPool(queue.gpu);
  try {
    const heads = allHeads(config);
    const asked = pool.upload("rows and heads asked", Uint32Array.from([...rows, ...heads]));
    const known = pool.storage("attention sums", rows.length * heads.length * 4);
    const ends = sets.map((_, s) => sets.slice(0, s + 1).reduce((sum, { length }) => sum + length, 0));
    const starts = pool.upload("starts of sets", Uint32Array.from([0, ...ends]));
    const members = pool.upload("sets of tokens", Uint32Array.from(sets.flat()));
    const each = sets.length * rows.length * heads.length;
    const masses = pool.storage("attention on sets", config.layers * each * 4);
    const work = rows.length * heads.length * config.headDim;
    const layers = Array.from({ length: config.layers }, (_, layer) => layer);
    await readLayers(llama, lora, ids, layers, options, (q, k, layer) => {
      const shape = { ...shapeOf(config), rows: rows.length, heads: heads.length, keys: 0 };
      const params = { ...shape, sets: sets.length, first: layer * each };
      queue.dispatch(attentionMapLse, { q, k, asked, sums: known }, params, undefined, work * ids.length);
      queue.dispatch(attentionMapMass, { q, k, asked, known, starts, members, masses }, params);
    });
    const values = new Float32Array(await queue.read(masses, 0, config.layers * each * 4));
    checkNumbers(values);
    return sets.map((_, s) =>
      layers.map((layer) =>
        heads.map((head) => {
          const first = layer * each + s * rows.length * heads.length + head;
          return rows.reduce((sum, _row, i) => sum + (values[first + i * heads.length] ?? NaN), 0) / rows.length;
        }),
      ),
    );
  } finally {
    queue.release(pool);
  }
}

/** A plain loop: there may be many. */
function checkNumbers(weights: Float32Array): void {
  for (let i = 0; i < weights.length; i++) {
    if (!Number.isFinite(weights[i])) {
      throw new Error(
        `expected numbers as attention, got ${weights[i]} (weights of the adapter or the model are not finite: train the adapter anew with a lower learning rate, or load the file again)`,
      );
    }
  }
}

/** Runs the layers up to the last asked, and has queries and keys of those asked read after RoPE. */
async function readLayers(
  llama: Llama,
  lora: Lora | null,
  ids: readonly number[],
  layers: readonly number[],
  { signal, onProgress }: MapOptions,
  read: QueryKeyReader["read"],
): Promise<void> {
  const count = Math.max(...layers) + 1;
  const workspace = new Workspace(llama, ids.length, lora?.R ?? 4, "inference");
  const queryKeys: QueryKeyReader = {
    layers: Array.from({ length: count }, (_, layer) => layer),
    rope: "post",
    read(q, k, layer) {
      signal?.throwIfAborted();
      onProgress?.(layer, count);
      if (layers.includes(layer)) {
        read(q, k, layer);
      }
    },
  };
  try {
    const pass: Pass = { ...PLAIN_PASS, llama, lora, workspace, rows: ids.length, queryKeys };
    writeTokens(pass, ids);
    await forward(pass, count);
    onProgress?.(count, count);
  } finally {
    workspace.destroy();
  }
}

function shapeOf({ heads, kvHeads, headDim }: LlamaConfig): { NH: number; KVH: number; D: number; scale: number } {
  return { NH: heads, KVH: kvHeads, D: headDim, scale: 1 / Math.sqrt(headDim) };
}

function allHeads({ heads }: LlamaConfig): number[] {
  return Array.from({ length: heads }, (_, head) => head);
}

async function prepare({ queue }: Llama, kernels: readonly unknown[]): Promise<void> {
  await Promise.all(kernels.map((kernel) => queue.pipelines.prepare(kernel as KernelDefinition)));
}
