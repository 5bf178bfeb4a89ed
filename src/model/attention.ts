/** Dispatches of the attention kernels, in pieces of rows of bounded work: no dispatch grows with the square of T. */
import { attentionForward } from "../kernels/attention.ts";
import { attentionKernels } from "./kernelFamilies.ts";
import type { Llama } from "./llama.ts";
import { rowPieces } from "./rowPieces.ts";
import { attendedPairs, type CachedRow, positionsEnd, type RowTree, sequence, widestUse } from "./rowTree.ts";
import type { LayerActivations, Workspace } from "./workspace.ts";

/** Multiply-adds of one dispatch: under 100 ms on two cores of a software adapter, far less on a GPU. */
const MAX_WORK = { gpu: 2e9, software: 1e8 };
/** Products of a query and a key that each kernel makes. */
const PRODUCTS = { forward: 2, backwardQ: 3, backwardKv: 4 };
/** Rows of a piece are a multiple of this: what a workgroup takes. */
const ROW_STEP = 16;

/** Where keys and values lie: this pass's own, or the cache. */
interface KeysValues {
  readonly k: GPUBuffer;
  readonly v: GPUBuffer;
}

/** What attention reads of a pass (forward.ts). */
interface AttentionPass {
  readonly llama: Llama;
  readonly workspace: Workspace;
  readonly rows: number;
  readonly tree: RowTree | null;
  readonly cached: { readonly rows: readonly CachedRow[] } | null;
}

/** o and lse of the rows. */
export function forwardAttention(pass: AttentionPass, { q, o, stats }: LayerActivations, { k, v }: KeysValues): void {
  const { queue, attentionConstants } = pass.llama;
  const kernel = pass.cached === null ? attentionKernels(queue.gpu).forward : attentionForward;
  for (const { params, work } of pieces(pass, PRODUCTS.forward, passEnd(pass))) {
    const buffers = { q, k, v, segments: pass.workspace.segments, o, stats };
    queue.dispatch(kernel, buffers, params, attentionConstants, work);
  }
}

/** From dO to dQ, dK and dV. */
export function backwardAttention(
  pass: AttentionPass,
  { q, k, v, o, stats }: Pick<LayerActivations, "q" | "k" | "v" | "o" | "stats">,
  { dO, dQ, dK, dV }: Readonly<Record<"dO" | "dQ" | "dK" | "dV", GPUBuffer>>,
): void {
  const { queue, attentionConstants } = pass.llama;
  const { backwardQ, backwardKv } = attentionKernels(queue.gpu);
  const inputs = { q, k, v, segments: pass.workspace.segments, d_o: dO };
  for (const { params, work } of pieces(pass, PRODUCTS.backwardQ, passEnd(pass))) {
    queue.dispatch(backwardQ, { ...inputs, stats, o_saved: o, dq: dQ }, params, attentionConstants, work);
  }
  const users = widestUse(pass.tree ?? sequence(pass.rows));
  for (const { params, work } of pieces(pass, PRODUCTS.backwardKv, users)) {
    const buffers = { ...inputs, stats_saved: stats, dk: dK, dv: dV };
    queue.dispatch(backwardKv, buffers, params, attentionConstants, work);
  }
}

/** One past the highest position: no row attends to more keys. */
export function passEnd({ rows, cached, tree }: AttentionPass): number {
  return cached === null
    ? positionsEnd(tree ?? sequence(rows))
    : cached.rows.reduce((end, { position }) => Math.max(end, position + 1), 0);
}

/** @param partners most keys of a row, or most users of a key */
function pieces({ llama, rows, tree, cached }: AttentionPass, products: number, partners: number) {
  const { heads, kvHeads, headDim: D } = llama.config;
  const limit = llama.queue.gpu.isSoftware ? MAX_WORK.software : MAX_WORK.gpu;
  const pairs =
    cached === null
      ? attendedPairs(tree ?? sequence(rows))
      : cached.rows.reduce((sum, { position }) => sum + position + 1, 0);
  const workPerRow = (products * heads * D * pairs) / rows;
  return rowPieces(rows, products * heads * D * partners, limit, ROW_STEP).map(({ first, count }) => ({
    params: { first, rows: count, heads, kvHeads, D, scale: 1 / Math.sqrt(D) },
    work: count * workPerRow,
  }));
}
