// The steps of a run: what each logs, states to go on from, held-out scores, alarms. The adapter in the browser's storage
// is always a whole one: the best scored, or, where none is scored, that of the last epoch or of the step it stopped at.
// Where the best is not the one after the last step, that one is kept beside it.

import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, writePeft } from "../model/adapters/peft.ts";
import { bestScore, isExhausted } from "../ner/heldoutScores.ts";
import { saveAdapter, saveLastWeights } from "../storage/adapterStore.ts";
import { chosenDrop, largestChange, unmovedMargin } from "../train/alarms.ts";
import { epochEnded } from "../train/heldoutSchedule.ts";
import type { StepLog, Trainer } from "../train/trainer.ts";
import { isScoreMissing, scoreHeldout, showKept, type Tried } from "./heldout.ts";
import type { Watch } from "./liveAttention.ts";
import { Pace } from "./pace.ts";
import type { RunKeeper } from "./runKeeper.ts";

export interface TrainResult {
  steps: number;
  /** Whether an adapter was saved. */
  saved: boolean;
}

interface Active extends Omit<Tried, "run"> {
  trainer: Trainer;
  keeper: RunKeeper;
  parent: LoraWeights | null;
  watch: Watch;
}

/** Steps until the last one, until held-out F1 no longer rises, or until stopped. */
export async function runSteps(active: Active): Promise<TrainResult> {
  const { control, emit, trainer, keeper } = active;
  const { config } = keeper.run;
  const pace = new Pace(keeper.run.logs.at(-1)?.num_tokens ?? 0);
  const isDone = (): boolean =>
    trainer.stepsDone === trainer.totalSteps || isExhausted(keeper.run.scores, config.earlyStopping);
  emit({ kind: "phase", phase: "training" });
  if (!isDone()) await active.watch(trainer.stepsDone, false);
  await keepScored(active); // a run that went on after its step and before its score
  while (!isDone() && !control.isStopped()) {
    if (control.isPaused()) {
      await keeper.checkpoint(trainer);
      emit({ kind: "phase", phase: "paused" });
      await control.waitWhilePaused();
      if (control.isStopped()) break;
      emit({ kind: "phase", phase: "training" });
    }
    const began = performance.now();
    const log = await stepUnlessStopped(active);
    if (log === null) break;
    const milliseconds = performance.now() - began;
    keeper.add(log, milliseconds / 1000);
    const { tokensPerSecond, secondsPerStep } = pace.add(log, milliseconds);
    const etaSeconds = secondsPerStep * (trainer.totalSteps - log.step);
    const { totalSteps, lastExamples: examples } = trainer;
    emit({ kind: "stepLog", log, totalSteps, tokensPerSecond, etaSeconds, examples });
    watchChosen(keeper, log);
    await active.watch(log.step, log.step === totalSteps);
    if (log.step % config.saveSteps === 0) await keeper.checkpoint(trainer);
    await keepScored(active);
  }
  const finished = isDone();
  const last = keeper.run.logs.at(-1) ?? null;
  if (last !== null) {
    if (finished) await watchMargin(active);
    const best = bestScore(keeper.run.scores);
    if (best === null) await save(active, last);
    else if (best.step !== last.step) await saveLast(active);
    if (!finished) await keeper.checkpoint(trainer);
    await showKept({ ...active, run: keeper.run });
  }
  await keeper.end(finished ? "finished" : "stopped");
  return { steps: last?.step ?? 0, saved: last !== null };
}

/** The next step, or null where it was stopped between prompts: the adapter is then as after the step before. */
async function stepUnlessStopped({ session, control, trainer }: Active): Promise<StepLog | null> {
  try {
    return await trainer.step(control.signal);
  } catch (error) {
    if (control.isStopped() && session.lost === null) return null;
    throw error;
  }
}

/** Where a score is due, predicts and scores; saves the adapter where it is the best, or where nothing is scored. */
async function keepScored(active: Active): Promise<void> {
  const { inputs, control, emit, trainer, keeper } = active;
  const { logs, scores } = keeper.run;
  const last = logs.at(-1);
  if (last === undefined || control.isStopped()) return;
  if (!isScoreMissing(keeper.run, inputs, trainer.totalSteps)) {
    if (bestScore(scores) === null && epochEnded(logs) && last.step < trainer.totalSteps) await save(active, last);
    return;
  }
  await keeper.checkpoint(trainer); // predicting may take longer than the steps
  const score = await scoreHeldout({ ...active, run: keeper.run }, last, () => save(active, last));
  if (score !== null) keeper.score(score);
  emit({ kind: "phase", phase: "training" });
}

/** Said once a run: with near-identical pairs both answers may sink together. */
function watchChosen(keeper: RunKeeper, log: StepLog): void {
  const { config, alarms } = keeper.run;
  const drop = config.stage === "dpo" ? chosenDrop(log, config) : null;
  if (drop === null || alarms.length > 0) return;
  keeper.alarm(
    `Right answers fell ${drop.toFixed(1)} nats below where they began at step ${log.step} (more than ${config.chosenDropAlarm}): lower the learning rate, raise the SFT share, or set DPO-Positive.`,
  );
}

async function watchMargin({ keeper, lora, parent }: Active): Promise<void> {
  const { config, logs } = keeper.run;
  const margin = config.stage === "dpo" ? unmovedMargin(logs) : null;
  if (margin === null || parent === null) return;
  const change = largestChange(parent.tensors, (await lora.read()).tensors);
  keeper.alarm(
    `This stage changed nothing measurable: mean margin ${margin.toPrecision(2)} in the last epoch, largest change of a weight ${change.toPrecision(2)}. A higher learning rate or more epochs would.`,
  );
}

async function saveLast({ keeper, emit, lora }: Active): Promise<void> {
  emit({ kind: "phase", phase: "saving the adapter" });
  const files = writePeft(await lora.read(), keeper.run.modelName);
  const record = await saveLastWeights(keeper.run.id, files.get(ADAPTER_WEIGHTS) as Uint8Array<ArrayBuffer>);
  if (record !== null) emit({ kind: "adapterSaved", record });
}

async function save({ inputs, keeper, emit, lora, trainer }: Active, log: StepLog): Promise<void> {
  emit({ kind: "phase", phase: "saving the adapter" });
  const { id, name, model, modelName, config, stage, parent } = keeper.run;
  const files = writePeft(await lora.read(), modelName);
  const record = await saveAdapter(
    {
      ...{ id, name, model, modelName },
      createdAt: Date.now(),
      configJson: files.get(ADAPTER_CONFIG) as string,
      ...{ rank: config.rank, alpha: config.alpha, targets: config.targets },
      training: {
        ...{ stage, parent, config: { ...config } },
        steps: log.step,
        totalSteps: trainer.totalSteps,
        lastLoss: log.loss,
        documents: inputs.documents.length,
      },
    },
    files.get(ADAPTER_WEIGHTS) as Uint8Array<ArrayBuffer>,
  );
  emit({ kind: "adapterSaved", record });
}
