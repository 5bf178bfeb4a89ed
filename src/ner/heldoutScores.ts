/** Held-out scores while a run goes on: which state is the best, and when there is no hope of a better one. */

/** One evaluation, after an optimizer step. */
export interface HeldoutScore {
  readonly step: number;
  readonly epoch: number;
  readonly precision: number;
  readonly recall: number;
  /** Strict span micro-F1, 0…1. */
  readonly f1: number;
  /** Boundary errors over gold entities (Table 5). */
  readonly boundaryErrorRate: number;
}

/** Of the highest F1; of equals the last one, which was trained longest. Null before the first. */
export function bestScore(scores: readonly HeldoutScore[]): HeldoutScore | null {
  return scores.reduce<HeldoutScore | null>(
    (best, score) => (best !== null && best.f1 > score.f1 ? best : score),
    null,
  );
}

/** Whether so many evaluations in a row brought no better F1. @param patience null: never */
export function isExhausted(scores: readonly HeldoutScore[], patience: number | null): boolean {
  if (patience === null || scores.length === 0) return false;
  const top = Math.max(...scores.map(({ f1 }) => f1));
  return scores.length - 1 - scores.findIndex(({ f1 }) => f1 === top) >= patience;
}
