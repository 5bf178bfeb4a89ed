/** Llama forward (Touvron et al. 2023) with LoRA on any linear: token ids to the residual stream after the last layer. */
import { embeddingGather } from "../kernels/embedding.ts";
import { halvesPack } from "../kernels/halves.ts";
import { pcg } from "../kernels/random.ref.ts";
import { rmsnormForward } from "../kernels/rmsnorm.ts";
import { ropeRotate } from "../kernels/rope.ts";
import { rowsCopy, rowsScatter } from "../kernels/rows.ts";
import { swigluForward } from "../kernels/swiglu.ts";
import { LORA_TARGETS, type LoraTarget } from "./adapters/loraWeights.ts";
import { forwardAttention, passEnd } from "./attention.ts";
import { EmbeddingRows } from "./embedding.ts";
import { loraKernels } from "./kernelFamilies.ts";
import { forwardLinear } from "./linear.ts";
import type { Llama } from "./llama.ts";
import type { Lora } from "./lora.ts";
import { blockLayers } from "./residuals.ts";
import { cachedSegments, type CachedRow, type RowTree, sequence, treePositions, treeSegments } from "./rowTree.ts";
import type { LayerActivations, Workspace } from "./workspace.ts";

/** One pass over `rows` tokens. */
export interface Pass {
  readonly llama: Llama;
  readonly lora: Lora | null;
  readonly workspace: Workspace;
  readonly rows: number;
  /** Where decoding keeps keys and values; null in training. */
  readonly cached: CachedRows | null;
  /** Dropout on the inputs of LoRA's A; null outside training. */
  readonly dropout: { readonly seed: number; readonly rate: number } | null;
  /** Where the rows are more than one sequence, what attends to what; null for one, and where they are cached. */
  readonly tree: RowTree | null;
  /** What reads queries and keys on the way; null without one. */
  readonly queryKeys: QueryKeyReader | null;
}

/** Rows whose keys and values are kept for rows to come (decoder.ts). */
interface CachedRows {
  /** Keys and values of each layer, (slots, KVH·D). */
  readonly layers: readonly { readonly k: GPUBuffer; readonly v: GPUBuffer }[];
  /** Of each row of the pass. */
  readonly rows: readonly CachedRow[];
}

/** Reads what q_proj and k_proj give in some layers, LoRA included: a loss (train/contrastive.ts), or attention maps. */
export interface QueryKeyReader {
  readonly layers: readonly number[];
  /** Whether it reads them before RoPE or after. */
  readonly rope: "pre" | "post";
  /** Reads q (T,NH·D) and k (T,KVH·D) of one of its layers; runs again where the layer is recomputed. */
  read(q: GPUBuffer, k: GPUBuffer, layer: number): void;
  /** Of a loss: adds its gradients to dq and dk; once a pass and layer. */
  readonly backward?: (dq: GPUBuffer, dk: GPUBuffer, layer: number) => void;
}

/** A pass over one sequence and nothing else. */
export const PLAIN_PASS = { cached: null, dropout: null, tree: null, queryKeys: null } as const;

/** Ids of the pass, their positions, what attends to what, and slots of the cache. */
export function writeTokens(pass: Pass, ids: readonly number[]): void {
  pass.workspace.tokens = ids;
  pass.llama.queue.write(pass.workspace.ids, 0, Uint32Array.from(ids));
  writePlaces(pass, ids.length);
}

/** The same without the ids. */
export function writePlaces({ llama: { queue }, workspace, cached, tree }: Pass, count: number): void {
  if (cached === null) {
    const nodes = tree ?? sequence(count);
    queue.write(workspace.positions, 0, treePositions(nodes));
    queue.write(workspace.segments, 0, treeSegments(nodes));
    return;
  }
  const { rows } = cached;
  queue.write(
    workspace.positions,
    0,
    Uint32Array.from(rows, ({ position }) => position),
  );
  queue.write(
    workspace.slots,
    0,
    Uint32Array.from(rows, ({ slot }) => slot),
  );
  queue.write(workspace.segments, 0, cachedSegments(rows));
}

/** Runs all layers, or the first `layers`; the result is workspace.residual[layers] (T,C), before the final norm. */
export async function forward(pass: Pass, layers = pass.llama.config.layers): Promise<void> {
  await embed(pass);
  for (let layer = 0; layer < layers; layer++) {
    keepAsHalves(pass, layer);
    forwardLayer(pass, layer);
    await pass.llama.queue.pace();
  }
}

/** Writes the rows of the workspace's tokens into residual[0] (T,C). */
async function embed({ llama: { queue, embedding, config }, workspace, rows }: Pass): Promise<void> {
  const x = workspace.residual[0] as GPUBuffer;
  if (embedding instanceof EmbeddingRows) {
    queue.write(x, 0, await embedding.read(workspace.tokens));
    return;
  }
  for (const part of embedding.parts) {
    queue.dispatch(
      embeddingGather,
      { ids: workspace.ids, words: part.words, scales: part.scales, x },
      { rows, C: config.hiddenSize, N: part.N, Np: part.Np, n0: part.n0 },
      part.constants,
    );
  }
}

/** Before the first layer of a block: its input as f16, where the workspace keeps it so. */
function keepAsHalves({ llama, workspace, rows }: Pass, layer: number): void {
  const k = blockLayers(workspace.keep) ?? 0;
  const packed = layer % k === 0 ? workspace.checkpoints[layer / k] : undefined;
  const x = workspace.residual[layer];
  if (packed !== undefined && x !== undefined) {
    llama.queue.dispatch(halvesPack, { x, packed }, { count4: (rows * llama.config.hiddenSize) / 4 });
  }
}

/**
 * One layer: residual[layer] → residual[layer + 1], intermediates into the layer's activations.
 * @param output false: only the intermediates are wanted, so that down_proj's product is left out
 */
export function forwardLayer(pass: Pass, layer: number, output = true): void {
  const { llama, workspace, rows } = pass;
  const { queue, config } = llama;
  const { hiddenSize: C, rmsNormEps: eps } = config;
  const weights = llama.layers[layer];
  const act = workspace.layers[layer];
  const input = workspace.residual[layer];
  const next = workspace.residual[layer + 1];
  if (weights === undefined || act === undefined || input === undefined || next === undefined) {
    throw new Error(`expected a layer of 0…${config.layers - 1}, got ${layer}`);
  }
  queue.dispatch(
    rmsnormForward,
    { x: input, weight: weights.attentionNorm, y: act.normed1, rstd: act.rstd1 },
    { C, eps, rows },
  );
  adapted(pass, layer, "q_proj", act.normed1, act.q);
  adapted(pass, layer, "k_proj", act.normed1, act.k);
  adapted(pass, layer, "v_proj", act.normed1, act.v);
  const reader = readerOf(pass, layer);
  if (reader?.rope === "pre") {
    reader.read(act.q, act.k, layer);
  }
  rotate(pass, act, 1);
  if (reader?.rope === "post") {
    reader.read(act.q, act.k, layer);
  }
  const cached = pass.cached?.layers[layer];
  if (cached !== undefined) {
    keepInCache(pass, act, cached);
  }
  forwardAttention(pass, act, cached ?? act);
  copyRows(pass, input, act.middle);
  adapted(pass, layer, "o_proj", act.o, act.middle, true);
  queue.dispatch(
    rmsnormForward,
    { x: act.middle, weight: weights.feedForwardNorm, y: act.normed2, rstd: act.rstd2 },
    { C, eps, rows },
  );
  adapted(pass, layer, "gate_proj", act.normed2, act.gate);
  adapted(pass, layer, "up_proj", act.normed2, act.up);
  queue.dispatch(swigluForward, { g: act.gate, u: act.up, h: act.h }, { count4: (rows * config.feedForwardSize) / 4 });
  if (output) {
    copyRows(pass, act.middle, next);
  }
  adapted(pass, layer, "down_proj", act.h, output ? next : null, true);
}

/** Of a layer the keys and values only, into the cache: all that other rows need of rows whose result nobody asks for. */
export function forwardKeysValues(pass: Pass, layer: number): void {
  const { llama, workspace, rows } = pass;
  const { hiddenSize: C, kvHeads, headDim, rmsNormEps: eps } = llama.config;
  const [weights, act, x] = [llama.layers[layer], workspace.layers[layer], workspace.residual[layer]];
  const cached = pass.cached?.layers[layer];
  if (weights === undefined || act === undefined || x === undefined || cached === undefined) {
    throw new Error(`expected a layer of 0…${llama.config.layers - 1} and a cache for it, got layer ${layer}`);
  }
  const normed = { x, weight: weights.attentionNorm, y: act.normed1, rstd: act.rstd1 };
  llama.queue.dispatch(rmsnormForward, normed, { C, eps, rows });
  adapted(pass, layer, "k_proj", act.normed1, act.k);
  adapted(pass, layer, "v_proj", act.normed1, act.v);
  rotateRows(pass, act.k, kvHeads * headDim, 1);
  keepInCache(pass, act, cached);
}

function keepInCache(
  { llama: { queue, config }, workspace, rows }: Pass,
  { k, v }: LayerActivations,
  cached: { readonly k: GPUBuffer; readonly v: GPUBuffer },
): void {
  const moved = { count: rows, c4: (config.kvHeads * config.headDim) / 4, from0: 0, to0: 0 };
  queue.dispatch(rowsScatter, { input: k, index: workspace.slots, output: cached.k }, moved);
  queue.dispatch(rowsScatter, { input: v, index: workspace.slots, output: cached.v }, moved);
}

/** What reads queries and keys of a layer. */
export function readerOf({ queryKeys }: Pass, layer: number): QueryKeyReader | null {
  return queryKeys?.layers.includes(layer) === true ? queryKeys : null;
}

/** Turns q and k by their positions (sign 1) or their gradients back (sign −1). */
export function rotate(pass: Pass, { q, k }: { q: GPUBuffer; k: GPUBuffer }, sign: 1 | -1): void {
  const { heads, kvHeads, headDim } = pass.llama.config;
  rotateRows(pass, q, heads * headDim, sign);
  rotateRows(pass, k, kvHeads * headDim, sign);
}

function rotateRows(pass: Pass, x: GPUBuffer, width: number, sign: 1 | -1): void {
  const { llama, workspace, rows } = pass;
  const buffers = { x, table: llama.ropeTable(passEnd(pass)), positions: workspace.positions };
  llama.queue.dispatch(ropeRotate, buffers, { rows, width, D: llama.config.headDim, sign });
}

/** y (+)= x·Wᵀ + scale·(drop(x)·Aᵀ)·Bᵀ; keeps drop(x)·Aᵀ for backward, and makes nothing else where y is null. */
function adapted(
  pass: Pass,
  layer: number,
  target: LoraTarget,
  x: GPUBuffer,
  y: GPUBuffer | null,
  accumulate = false,
): void {
  const { llama, lora, workspace, rows } = pass;
  const weights = llama.layers[layer]?.linears[target];
  const xa = workspace.layers[layer]?.xa[target];
  if (weights === undefined || xa === undefined) {
    throw new Error(`expected linear ${target} in layer ${layer}, got none`);
  }
  if (y !== null) {
    forwardLinear(llama.queue, weights, x, rows, y, accumulate);
  }
  const module = lora?.module(layer, target);
  if (lora !== null && module !== undefined) {
    const { K, N } = module;
    const kernels = loraKernels(llama.queue.gpu);
    llama.queue.dispatch(
      kernels.down,
      { x, m: lora.weights.slice(module.a), out: xa },
      { rows, R: lora.R, C: K, scale: 1, ...dropoutParams(pass, layer, target) },
      undefined,
      rows * lora.R * K,
    );
    if (y === null) {
      return;
    }
    llama.queue.dispatch(
      kernels.up,
      { h: xa, m: lora.weights.slice(module.b), out: y },
      { rows, R: lora.R, C: N, scale: lora.scale, ...NO_DROPOUT },
      undefined,
      rows * lora.R * N,
    );
  }
}

export const NO_DROPOUT = { seed: 0, threshold: 0, keep: 1 } as const;

/** Every linear has dropout of its own, as PEFT's modules have. */
export function dropoutParams(
  { dropout }: Pick<Pass, "dropout">,
  layer: number,
  target: LoraTarget,
): { seed: number; threshold: number; keep: number } {
  if (dropout === null || dropout.rate === 0) {
    return NO_DROPOUT;
  }
  const stream = layer * LORA_TARGETS.length + LORA_TARGETS.indexOf(target) + 1;
  return {
    seed: pcg((dropout.seed ^ pcg(stream)) >>> 0),
    threshold: Math.round(dropout.rate * 2 ** 32),
    keep: 1 / (1 - dropout.rate),
  };
}

function copyRows({ llama, rows }: Pass, input: GPUBuffer, destination: GPUBuffer): void {
  llama.queue.dispatch(
    rowsCopy,
    { input, destination },
    { count: rows, c4: llama.config.hiddenSize / 4, from0: 0, to0: 0 },
  );
}
