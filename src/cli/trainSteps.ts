// The steps of obp train: log, checkpoints, held-out scores, alarms, Ctrl-C.
import type { Llama } from "../model/llama.ts";
import { chosenDrop } from "../train/alarms.ts";
import type { Checkpoint, RunIdentity } from "../train/checkpoint.ts";
import type { TrainConfig } from "../train/config.ts";
import type { StepLog, Trainer } from "../train/trainer.ts";
import { removeEarlierRun, saveCheckpoint } from "./checkpointFiles.ts";
import type { Context } from "./context.ts";
import { InterruptedError } from "./errors.ts";
import type { Heldout } from "./heldout.ts";
import type { StepLogFiles } from "./trainRun.ts";

interface Run {
  readonly trainer: Trainer;
  readonly files: StepLogFiles;
  /** Where checkpoints go. */
  readonly folder: string;
  readonly identity: RunIdentity;
  readonly heldout: Heldout | null;
  readonly llama: Llama;
}

interface Outcome {
  /** Of all steps, those of the run that this one goes on from included. */
  readonly logs: readonly StepLog[];
  readonly seconds: number;
  readonly interrupted: boolean;
  readonly alarms: string[];
}

/** Steps until all are done or Ctrl-C; what was done stands in the log and in a checkpoint either way. */
export async function runSteps(
  { trainer, files, folder, identity, heldout, llama }: Run,
  config: TrainConfig,
  before: readonly StepLog[],
  context: Context,
): Promise<Outcome> {
  const logs = [...before];
  const alarms: string[] = [];
  const progress = context.progress("training", trainer.totalSteps, "steps");
  const started = performance.now();
  let interrupted = false;
  let saved = trainer.stepsDone;
  const save = async (): Promise<void> => {
    if (trainer.stepsDone > saved) {
      const checkpoint: Checkpoint = { state: await trainer.state(), identity, kernels: llama.queue.gpu.kernels };
      saveCheckpoint(folder, checkpoint);
      saved = trainer.stepsDone;
    }
  };
  const score = async (): Promise<void> => {
    const last = logs.at(-1);
    if (last !== undefined && heldout?.due(logs, trainer.totalSteps) === true) {
      await heldout.score(last);
    }
  };
  try {
    await score(); // a run stopped before its last step was scored
    while (trainer.stepsDone < trainer.totalSteps && heldout?.exhausted !== true) {
      const log = await trainer.step(context.signal);
      if (logs.length === 0) {
        removeEarlierRun(folder); // its checkpoints must not be resumed with this run's log
      }
      files.write(log);
      logs.push(log);
      progress.update(trainer.stepsDone, `loss ${log.loss.toFixed(4)}`);
      const drop = chosenDrop(log, config);
      if (config.stage === "dpo" && drop !== null && alarms.length === 0) {
        alarms.push(
          `chosen answers fell ${drop.toFixed(1)} nats below their reference at step ${log.step} (more than ${config.chosenDropAlarm}: lower the learning rate, raise sftAlpha, or set dpopLambda)`,
        );
        context.note(`warning: ${alarms[0]}`);
      }
      await score();
      if (trainer.stepsDone % config.saveSteps === 0) {
        await save();
      }
    }
  } catch (error) {
    if (!(error instanceof InterruptedError)) {
      throw error;
    }
    interrupted = true;
  } finally {
    progress.finish();
    files.close();
  }
  await save();
  return { logs, seconds: (performance.now() - started) / 1000, interrupted, alarms };
}
