// Medians of works that take turns, so that a busy machine slows all of them alike.

export interface TurnLimits {
  /** Rounds that count. */
  readonly repeat: number;
  /** Whether a round before them compiles and warms up; true where absent. */
  readonly warmUp?: boolean;
  /** No round begins after so many seconds, once one has counted. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/**
 * @param works each does its work once and gives what it measured
 * @returns the median of each, in the same order
 */
export async function takeTurns(
  works: readonly (() => Promise<number>)[],
  { repeat, seconds, signal, warmUp = true }: TurnLimits,
): Promise<number[]> {
  const measured = works.map(() => [] as number[]);
  let started = performance.now();
  for (let round = warmUp ? 0 : 1; round <= repeat; round++) {
    if (round > 1 && performance.now() - started > seconds * 1000) {
      break;
    }
    for (const [i, work] of works.entries()) {
      signal.throwIfAborted();
      const value = await work();
      if (round > 0) {
        measured[i]?.push(value);
      }
    }
    started = round === 0 ? performance.now() : started;
  }
  return measured.map(median);
}

/** NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}
