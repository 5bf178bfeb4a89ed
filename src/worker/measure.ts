// How long a training's steps take here, from a few of them.

import { withReference } from "../train/dpoExamples.ts";
import { Trainer } from "../train/trainer.ts";
import type { EngineSession } from "./engineSession.ts";
import type { MeasuredSteps, StudioEvent } from "./protocol.ts";
import type { TrainJob } from "./trainJob.ts";
import { labelledPairs, stageTrainer, startLora } from "./trainStage.ts";

const STEPS = 3;

/**
 * Takes three steps as the job would, after one in which kernels are compiled; nothing of them is kept.
 * @throws Error where there is nothing to learn from; AbortError when stopped
 */
export async function measureSteps(
  session: EngineSession,
  { run, inputs, parent }: TrainJob,
  signal: AbortSignal,
  emit: (event: StudioEvent) => void,
): Promise<MeasuredSteps> {
  const model = session.openModel;
  const llama = await session.llama(signal);
  session.forgetLora();
  const config = { ...run.config, maxSteps: STEPS + 1 };
  const lora = startLora(llama, parent, config);
  let trainer: Trainer | null = null;
  try {
    if (config.stage === "dpo") {
      const { pairs } = labelledPairs(model, inputs, config);
      // What the reference gives them is not known yet, and does not change the time.
      const reference = pairs.map(() => ({ chosen: 0, rejected: 0 }));
      trainer = await Trainer.createDpo(llama, lora, withReference(pairs, reference), config);
    } else {
      trainer = await stageTrainer(llama, lora, model, config, inputs, signal, emit);
    }
    emit({ kind: "phase", phase: "measuring" });
    const first = await trainer.step(signal);
    const began = performance.now();
    let tokens = 0;
    for (let step = 1; step <= STEPS; step++) {
      emit({ kind: "progress", done: step - 1, total: STEPS, unit: "steps" });
      tokens = (await trainer.step(signal)).num_tokens - first.num_tokens;
    }
    const secondsPerToken = (performance.now() - began) / 1000 / tokens;
    const totalSteps = run.config.maxSteps ?? Math.ceil(run.config.epochs * trainer.stepsPerEpoch);
    return { secondsPerToken, tokensPerStep: tokens / STEPS, totalSteps };
  } finally {
    trainer?.destroy();
    lora.destroy();
  }
}
