// A training run in the studio: predictions before, steps, and after each epoch the adapter saved and tried out. The
// adapter in the browser's storage is always a whole one: of the last epoch, or of the last step after a stop.

import { writePeft, ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../model/adapters/peft.ts";
import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { saveAdapter } from "../storage/adapterStore.ts";
import type { RunInputs } from "../storage/database.ts";
import { listPredictions, predictionKey } from "../storage/predictionStore.ts";
import { saveRun } from "../storage/runStore.ts";
import { chosenDrop, largestChange, unmovedMargin } from "../train/alarms.ts";
import { TrainingError, type StepLog, type Trainer } from "../train/trainer.ts";
import type { EngineSession } from "./engineSession.ts";
import type { JobControl } from "./jobControl.ts";
import { Pace } from "./pace.ts";
import { predictAndSave } from "./predictions.ts";
import type { StudioEvent } from "./protocol.ts";
import { identityOf, recordOf, RunKeeper } from "./runKeeper.ts";
import type { TrainJob } from "./trainJob.ts";
import { makePairs, stageTrainer, startLora } from "./trainStage.ts";

export interface TrainResult {
  steps: number;
  /** Whether an adapter was saved. */
  saved: boolean;
}

type Emit = (event: StudioEvent) => void;

/** Runs to the end, or to the step in which it was stopped. */
export async function runTraining(
  session: EngineSession,
  job: TrainJob,
  control: JobControl,
  emit: Emit,
): Promise<TrainResult> {
  const { config } = job.run;
  const model = session.openModel;
  const llama = await session.llama(control.signal);
  session.forgetLora();
  let trainer: Trainer | null = null;
  let keeper: RunKeeper | null = null;
  const lora = startLora(llama, job.parent, config);
  try {
    await predictBefore(session, llama, lora, job, control, emit);
    let { inputs } = job;
    if (config.stage === "dpo" && inputs.pairs === null) {
      const { documents, types } = inputs;
      const input = { llama, lora, model, config, documents, types, signal: control.signal };
      inputs = { ...inputs, pairs: await makePairs(input, emit) };
    }
    trainer = await stageTrainer(llama, lora, model, config, inputs);
    const run = { ...job.run, totalSteps: trainer.totalSteps };
    await saveRun(recordOf(run), inputs);
    if (job.state !== null) trainer.restore(job.state);
    keeper = new RunKeeper(run, await identityOf(run, inputs), emit);
    return await runSteps({ session, inputs, control, emit, llama, lora, trainer, keeper, parent: job.parent });
  } catch (error) {
    // Where the GPU is lost, or anything else went wrong from outside, the run can still go on from its last state.
    if (keeper !== null && error instanceof TrainingError) await keeper.end("failed");
    throw error;
  } finally {
    trainer?.destroy();
    lora.destroy();
  }
}

interface Active {
  session: EngineSession;
  inputs: RunInputs;
  control: JobControl;
  emit: Emit;
  llama: Llama;
  lora: Lora;
  trainer: Trainer;
  keeper: RunKeeper;
  parent: LoraWeights | null;
}

async function runSteps(active: Active): Promise<TrainResult> {
  const { inputs, control, emit, trainer, keeper } = active;
  const { config } = keeper.run;
  let last = keeper.run.logs.at(-1) ?? null;
  const pace = new Pace(last?.num_tokens ?? 0);
  emit({ kind: "phase", phase: "training" });
  while (trainer.stepsDone < trainer.totalSteps && !control.isStopped()) {
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
    emit({ kind: "stepLog", log, totalSteps: trainer.totalSteps, tokensPerSecond, etaSeconds });
    watchChosen(keeper, log);
    if (log.step % config.saveSteps === 0) await keeper.checkpoint(trainer);
    const epochEnded = Math.floor(log.epoch + 1e-9) > Math.floor((last?.epoch ?? 0) + 1e-9);
    last = log;
    if (epochEnded && log.step < trainer.totalSteps && !control.isStopped()) {
      await save(active, log);
      if (inputs.evaluate === "epoch") await predictTrained(active);
      emit({ kind: "phase", phase: "training" });
    }
  }
  const finished = trainer.stepsDone === trainer.totalSteps;
  if (last !== null) {
    if (finished) await watchMargin(active);
    await save(active, last);
    if (!finished) await keeper.checkpoint(trainer);
  }
  await keeper.end(finished ? "finished" : "stopped");
  if (last === null) return { steps: 0, saved: false };
  if (inputs.evaluate !== "never" && !control.isStopped()) await predictTrained(active);
  return { steps: last.step, saved: true };
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

/** What the model finds before training; asked once for each adapter, model and set of types and documents. */
async function predictBefore(
  session: EngineSession,
  llama: Llama,
  lora: Lora,
  { run: { parent }, inputs: { heldout, types, evaluate } }: TrainJob,
  { signal }: JobControl,
  emit: Emit,
): Promise<void> {
  if (evaluate === "never" || heldout.length === 0) return;
  const model = session.openModel;
  const key = predictionKey(model.facts.fingerprint, parent);
  const known = (await listPredictions()).find((record) => record.key === key);
  const texts = new Map(known?.predictions.map(({ id, text }) => [id, text]));
  const sameTypes = JSON.stringify(known?.types) === JSON.stringify(types);
  if (sameTypes && heldout.every(({ id, text }) => texts.get(id) === text)) return;
  emit({ kind: "phase", phase: parent === null ? "predicting without adapter" : "predicting with the adapter" });
  const start = { llama, lora: parent === null ? null : lora, adapter: parent };
  await predictAndSave({ ...start, model, documents: heldout, types, signal }, emit);
}

async function predictTrained({ session, inputs, keeper, control, emit, llama, lora }: Active): Promise<void> {
  const { heldout: documents, types } = inputs;
  if (documents.length === 0) return;
  emit({ kind: "phase", phase: "predicting with the adapter" });
  const adapter = keeper.run.id;
  const input = { llama, lora, adapter, model: session.openModel, documents, types, signal: control.signal };
  try {
    await predictAndSave(input, emit);
  } catch (error) {
    // Stopping while predicting ends the run as stopping in a step does: the adapter is saved already.
    if (!control.isStopped() || session.lost !== null) throw error;
  }
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
