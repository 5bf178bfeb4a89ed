// How long a training will take: its tokens, at the speed that was measured or that an earlier run had. Pure.

import type { Run, StudioEvent, TrainConfig, TrainingPlan } from "../../worker/protocol.ts";

type Measured = Extract<StudioEvent, { kind: "measured" }>;

/** Seconds a token, and where that was seen; null: a measurement. */
export interface Speed {
  secondsPerToken: number;
  run: string | null;
}

/** What of a training its speed depends on. */
type SpeedSettings = Omit<TrainConfig, "targets"> & { readonly targets: readonly string[] };

/** In the first step kernels are compiled: a run of fewer steps tells too little. */
const STEPS_THAT_TELL = 4;

/** Steps with settings of the same key take the same time. */
function speedKey(settings: SpeedSettings): string {
  const { stage, rank, targets, checkpointing, checkpointPrecision, contrastiveWeight, contrastiveLayer, dropout } =
    settings;
  const packed = settings.packTokens > 0 ? [settings.packTokens, settings.gradAccumSteps] : "off";
  const contrast = contrastiveWeight > 0 ? contrastiveLayer : "off";
  const recomputed = [checkpointing, checkpointPrecision];
  return JSON.stringify([stage, rank, [...targets].sort(), recomputed, contrast, dropout > 0, packed]);
}

/** The newest that is known for these settings on this model, a measurement before a run; null: none. @param runs newest first */
export function knownSpeed(
  model: string,
  settings: SpeedSettings,
  measured: Measured | null,
  runs: readonly Pick<Run, "name" | "model" | "config" | "seconds" | "logs">[],
): Speed | null {
  const key = speedKey(settings);
  if (measured?.model === model && speedKey(measured.config) === key) {
    return { secondsPerToken: measured.steps.secondsPerToken, run: null };
  }
  const run = runs.find(
    (candidate) =>
      candidate.model === model && candidate.logs.length >= STEPS_THAT_TELL && speedKey(candidate.config) === key,
  );
  const tokens = run?.logs.at(-1)?.num_tokens;
  return run === undefined || tokens === undefined ? null : { secondsPerToken: run.seconds / tokens, run: run.name };
}

/** Seconds of all steps; predictions of held-out sentences are not among them. */
export function stepSeconds(
  { tokens, prompts, steps }: Pick<TrainingPlan, "tokens" | "prompts" | "steps">,
  { gradAccumSteps }: Pick<TrainConfig, "gradAccumSteps">,
  { secondsPerToken }: Speed,
): number {
  const epochs = steps / Math.ceil(prompts / gradAccumSteps);
  return epochs * tokens * secondsPerToken;
}

/**
 * What training on source corpora takes, whose prompts are known once they have been read: where this very training was
 * measured. Null: it was not.
 */
export function measuredSource(
  model: string,
  config: TrainConfig,
  corpora: readonly string[],
  measured: Measured | null,
): { steps: number; tokens: number; seconds: number } | null {
  const key = ({ epochs, gradAccumSteps, maxSteps, maxLength, absentShare }: TrainConfig): string =>
    JSON.stringify([epochs, gradAccumSteps, maxSteps, maxLength, absentShare]);
  if (measured?.model !== model || speedKey(measured.config) !== speedKey(config)) return null;
  if (key(measured.config) !== key(config) || measured.corpora.join() !== corpora.join()) return null;
  const { secondsPerToken, tokensPerStep, totalSteps } = measured.steps;
  const tokens = tokensPerStep * totalSteps;
  return { steps: totalSteps, tokens, seconds: secondsPerToken * tokens };
}
