import { useEffect } from "react";
import { studio, useEngine } from "../stores/engineStore.ts";
import type { Look } from "./inspectStore.ts";

/** Choices made one after the other are asked as one. */
const SETTLE_MS = 150;

/**
 * Asks anew when what is asked for has changed, where the model is on the GPU anyway and nothing else runs; a look at an
 * earlier choice is cut short.
 */
export function useAutoLook<Q extends { key: string }>(
  { shown, failed, reading }: Look<unknown>,
  question: Q | null,
  ask: (question: Q) => Promise<void>,
): void {
  const warm = useEngine(({ model, gpu }) => gpu.kind === "ready" && model.kind === "open" && model.gpuBytes > 0);
  const job = useEngine((state) => state.job?.kind ?? null);
  const answered = question !== null && (shown?.key === question.key || failed?.key === question.key);
  useEffect(() => {
    if (question === null || answered || reading === question.key || !warm) return;
    const timer = setTimeout(() => {
      if (reading !== null) void studio().stop();
      else if (job === null) void ask(question);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [question, answered, reading, warm, job, ask]);
}
