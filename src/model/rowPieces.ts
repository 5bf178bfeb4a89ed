/** Rows of a pass in pieces, so that no dispatch runs long. */

export interface RowPiece {
  readonly first: number;
  readonly count: number;
}

/** Pieces of at most `maxWork`, but of `step` rows at least: a multiple of it, all but the last. */
export function rowPieces(rows: number, workPerRow: number, maxWork: number, step: number): RowPiece[] {
  const size = Math.max(step, Math.floor(maxWork / workPerRow / step) * step);
  const list: RowPiece[] = [];
  for (let first = 0; first < rows; first += size) {
    list.push({ first, count: Math.min(size, rows - first) });
  }
  return list;
}
