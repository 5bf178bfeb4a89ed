/**
 * Which residual streams a pass keeps for backward (activation checkpointing, Chen et al. 2016), and where they lie.
 */

/**
 * Of training: "none" keeps everything; "layer" each layer's input, the rest is recomputed in backward; k the input of
 * each k-th layer, and a block of k layers is run again, its inputs kept, before it is walked down.
 */
export type Checkpointing = "none" | "layer" | number;
/** "inference" keeps nothing. */
export type Keep = "inference" | Checkpointing;

/** Layers of a block that is recomputed together; null where nothing is recomputed. */
export function blockLayers(keep: Keep): number | null {
  return keep === "inference" || keep === "none" ? null : keep === "layer" ? 1 : keep;
}

interface ResidualPlan {
  /** Of the stream before layer i, and after the last: its buffer. */
  readonly stream: readonly number[];
  /** Number of those buffers. */
  readonly streams: number;
  /** Number of copies as f16: of each block's input but the last's, whose residuals all lie there still. */
  readonly checkpoints: number;
}

export function residualPlan(L: number, keep: Keep, halves: boolean): ResidualPlan {
  const k = blockLayers(keep);
  const all = Array.from({ length: L + 1 }, (_, i) => i);
  if (keep === "inference") {
    return { stream: all.map((i) => i % 2), streams: 2, checkpoints: 0 };
  }
  if (k === null) {
    return { stream: all, streams: L + 1, checkpoints: 0 };
  }
  const blocks = Math.ceil(L / k);
  if (halves) {
    // Only a block's own residuals are f32: they take turns.
    const streams = Math.min(k, L) + 1;
    return { stream: all.map((i) => i % streams), streams, checkpoints: blocks - 1 };
  }
  const inside = Math.min(k, L) - 1; // residuals within a block, shared by all blocks
  const stream = all.map((i) => (i === L ? blocks + inside : i % k === 0 ? i / k : blocks + (i % k) - 1));
  return { stream, streams: blocks + inside + 1, checkpoints: 0 };
}
