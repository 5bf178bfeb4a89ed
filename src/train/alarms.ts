/** What a DPO run must not hide: known ways in which it fails while its loss falls (method.md, stage 3). */
import type { StepLog } from "./trainer.ts";

/** A mean margin below it, in the last epoch, says that the policy still answers as its reference does. */
const MARGIN_MOVED = 0.01;

/**
 * Nats by which the step's chosen answers are less probable than under the reference, where that is more than the run
 * allows: with near-identical pairs both answers may sink together. Null where all is well.
 */
export function chosenDrop(
  log: StepLog,
  { beta, chosenDropAlarm }: { beta: number; chosenDropAlarm: number },
): number | null {
  const drop = -(log["rewards/chosen"] ?? 0) / beta;
  return drop > chosenDropAlarm ? drop : null;
}

/** Mean margin of the last epoch where it is too small to matter, else null. */
export function unmovedMargin(logs: readonly StepLog[]): number | null {
  const last = logs.at(-1)?.epoch ?? 0;
  const margins = logs.filter(({ epoch }) => epoch > last - 1).map((log) => log["rewards/margins"] ?? NaN);
  const mean = margins.reduce((sum, margin) => sum + margin, 0) / margins.length;
  return Math.abs(mean) < MARGIN_MOVED ? mean : null;
}

/** Largest change of one LoRA weight between two adapters of the same shapes. */
export function largestChange(
  before: ReadonlyMap<string, { readonly data: Float32Array }>,
  after: ReadonlyMap<string, { readonly data: Float32Array }>,
): number {
  let largest = 0;
  for (const [name, { data }] of after) {
    const old = before.get(name)?.data;
    data.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - (old?.[i] ?? 0)))));
  }
  return largest;
}
