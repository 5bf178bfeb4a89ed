import type { StepLog } from "./trainer.ts";

/** Whether an epoch ended with the last of these steps. */
export function epochEnded(logs: readonly StepLog[]): boolean {
  // Thirds and tenths of epochs do not add up to whole ones exactly.
  const epochs = (log: StepLog | undefined): number => Math.floor((log?.epoch ?? 0) + 1e-9);
  return epochs(logs.at(-1)) > epochs(logs.at(-2));
}

/**
 * Whether held-out sentences are scored after the last of these steps.
 * @param every steps between scores; null: after each epoch. The last step is always scored.
 */
export function isScoreDue(logs: readonly StepLog[], totalSteps: number, every: number | null): boolean {
  const last = logs.at(-1);
  if (last === undefined) return false;
  return last.step === totalSteps || (every === null ? epochEnded(logs) : last.step % every === 0);
}
