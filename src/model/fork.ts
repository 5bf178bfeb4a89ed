/**
 * Two continuations of one beginning side by side in a pass, as a preference pair has them: rows 0 … shared − 1 are the
 * beginning, shared … middle − 1 the first continuation, the rest the second, which sees nothing of the first. So the
 * beginning runs once, forward and backward.
 */
export interface Fork {
  readonly shared: number;
  readonly middle: number;
}

/** Of each row, for shaders/attention.wgsl: prefix [x, y), first own key z, one past the last row that attends to it w. */
export function attentionSegments(rows: number, fork: Fork | null): Uint32Array<ArrayBuffer> {
  const { shared, middle } = fork ?? { shared: rows, middle: rows };
  const segments = new Uint32Array(4 * rows);
  for (let row = 0; row < rows; row++) {
    if (row < shared) {
      segments.set([0, 0, 0, rows], 4 * row);
    } else {
      segments.set(row < middle ? [0, shared, shared, middle] : [0, shared, middle, rows], 4 * row);
    }
  }
  return segments;
}

/** Of each row: both continuations go on counting where the beginning ended. */
export function positions(rows: number, fork: Fork | null): Uint32Array<ArrayBuffer> {
  const { shared, middle } = fork ?? { shared: rows, middle: rows };
  return Uint32Array.from({ length: rows }, (_, row) => (row < middle ? row : shared + row - middle));
}

/** One past the highest position. */
export function positionsEnd(rows: number, fork: Fork | null): number {
  return fork === null ? rows : Math.max(fork.middle, fork.shared + rows - fork.middle);
}
