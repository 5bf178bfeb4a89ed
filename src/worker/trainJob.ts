// A training run in the studio: base predictions, steps, and after each epoch the adapter saved and tried out. The
// adapter in the browser's storage is always a whole one: of the last epoch, or of the last step after a stop.

import { writePeft, ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../model/adapters/peft.ts";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { saveAdapter } from "../storage/adapterStore.ts";
import { listPredictions, predictionKey } from "../storage/predictionStore.ts";
import { buildExamples } from "../train/examples.ts";
import { Trainer, type StepLog } from "../train/trainer.ts";
import type { EngineSession } from "./engineSession.ts";
import type { JobControl } from "./jobControl.ts";
import { predictAndSave } from "./predictions.ts";
import type { StudioEvent, TrainRequest } from "./protocol.ts";

export interface TrainResult {
  steps: number;
  /** Whether an adapter was saved. */
  saved: boolean;
}

type Emit = (event: StudioEvent) => void;

/** Runs to the end, or to the step in which it was stopped. */
export async function runTraining(
  session: EngineSession,
  request: TrainRequest,
  adapter: string,
  control: JobControl,
  emit: Emit,
): Promise<TrainResult> {
  const { config, documents, types } = request;
  const model = session.openModel;
  const pooling = config.contrastiveWeight > 0 ? config.contrastivePooling : null;
  const { examples } = buildExamples(model.tokenizer, documents, types, model.config.contextLength, pooling);
  const llama = await session.llama(control.signal);
  await predictBase(session, llama, request, control, emit);
  session.forgetLora();
  const lora = Lora.create(llama, config, config.seed);
  let trainer: Trainer | null = null;
  try {
    trainer = await Trainer.create(llama, lora, examples, config);
    return await runSteps({ session, request, adapter, control, emit, llama, lora, trainer });
  } finally {
    trainer?.destroy();
    lora.destroy();
  }
}

interface Run {
  session: EngineSession;
  request: TrainRequest;
  adapter: string;
  control: JobControl;
  emit: Emit;
  llama: Llama;
  lora: Lora;
  trainer: Trainer;
}

async function runSteps(run: Run): Promise<TrainResult> {
  const { request, control, emit, trainer } = run;
  const pace = new Pace();
  let last: StepLog | null = null;
  let saved = false;
  emit({ kind: "phase", phase: "training" });
  while (trainer.stepsDone < trainer.totalSteps && !control.isStopped()) {
    if (control.isPaused()) {
      emit({ kind: "phase", phase: "paused" });
      await control.waitWhilePaused();
      if (control.isStopped()) break;
      emit({ kind: "phase", phase: "training" });
    }
    const began = performance.now();
    const log = await stepUnlessStopped(run);
    if (log === null) break;
    const { tokensPerSecond, secondsPerStep } = pace.add(log, performance.now() - began);
    const etaSeconds = secondsPerStep * (trainer.totalSteps - log.step);
    emit({ kind: "stepLog", log, totalSteps: trainer.totalSteps, tokensPerSecond, etaSeconds });
    const epochEnded = Math.floor(log.epoch + 1e-9) > Math.floor((last?.epoch ?? 0) + 1e-9);
    last = log;
    if (epochEnded && log.step < trainer.totalSteps && !control.isStopped()) {
      await save(run, log);
      saved = true;
      if (request.evaluate === "epoch") await predictTrained(run);
      emit({ kind: "phase", phase: "training" });
    }
  }
  if (last === null) return { steps: 0, saved };
  await save(run, last);
  if (request.evaluate !== "never" && !control.isStopped()) await predictTrained(run);
  return { steps: last.step, saved: true };
}

/** The next step, or null where it was stopped between prompts: the adapter is then as after the step before. */
async function stepUnlessStopped({ session, control, trainer }: Run): Promise<StepLog | null> {
  try {
    return await trainer.step(control.signal);
  } catch (error) {
    if (control.isStopped() && session.lost === null) return null;
    throw error;
  }
}

/** What the model finds before training; asked once for each model and set of types and documents. */
async function predictBase(
  session: EngineSession,
  llama: Llama,
  { heldout, types, evaluate }: TrainRequest,
  { signal }: JobControl,
  emit: Emit,
): Promise<void> {
  if (evaluate === "never" || heldout.length === 0) return;
  const model = session.openModel;
  const key = predictionKey(model.facts.fingerprint, null);
  const known = (await listPredictions()).find((record) => record.key === key);
  const texts = new Map(known?.predictions.map(({ id, text }) => [id, text]));
  const sameTypes = JSON.stringify(known?.types) === JSON.stringify(types);
  if (sameTypes && heldout.every(({ id, text }) => texts.get(id) === text)) return;
  emit({ kind: "phase", phase: "predicting without adapter" });
  await predictAndSave({ llama, lora: null, adapter: null, model, documents: heldout, types, signal }, emit);
}

async function predictTrained({ session, request, adapter, control, emit, llama, lora }: Run): Promise<void> {
  const { heldout: documents, types } = request;
  if (documents.length === 0) return;
  emit({ kind: "phase", phase: "predicting with the adapter" });
  const input = { llama, lora, adapter, model: session.openModel, documents, types, signal: control.signal };
  try {
    await predictAndSave(input, emit);
  } catch (error) {
    // Stopping while predicting ends the run as stopping in a step does: the adapter is saved already.
    if (!control.isStopped() || session.lost !== null) throw error;
  }
}

async function save({ session, request, adapter, emit, lora, trainer }: Run, log: StepLog): Promise<void> {
  emit({ kind: "phase", phase: "saving the adapter" });
  const { facts } = session.openModel;
  const { config, documents, name } = request;
  const files = writePeft(await lora.read(), facts.name);
  const record = await saveAdapter(
    {
      id: adapter,
      name,
      model: facts.fingerprint,
      modelName: facts.name,
      createdAt: Date.now(),
      configJson: files.get(ADAPTER_CONFIG) as string,
      rank: config.rank,
      alpha: config.alpha,
      targets: config.targets,
      training: {
        stage: "sft",
        steps: log.step,
        totalSteps: trainer.totalSteps,
        lastLoss: log.loss,
        documents: documents.length,
      },
    },
    files.get(ADAPTER_WEIGHTS) as Uint8Array<ArrayBuffer>,
  );
  emit({ kind: "adapterSaved", record });
}

/** Speed over the last steps; the first one, in which kernels are compiled, is not counted once there are others. */
class Pace {
  readonly #steps: { milliseconds: number; tokens: number }[] = [];
  #tokens = 0;

  add({ num_tokens }: StepLog, milliseconds: number): { tokensPerSecond: number; secondsPerStep: number } {
    this.#steps.push({ milliseconds, tokens: num_tokens - this.#tokens });
    this.#tokens = num_tokens;
    const counted = this.#steps.length > 1 ? this.#steps.slice(1).slice(-20) : this.#steps;
    const total = counted.reduce((sum, step) => sum + step.milliseconds, 0) / 1000;
    const tokens = counted.reduce((sum, step) => sum + step.tokens, 0);
    return { tokensPerSecond: tokens / total, secondsPerStep: total / counted.length };
  }
}
