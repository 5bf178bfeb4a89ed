// A training run in the studio, from its job to its adapter: what is predicted before, what it learns from, its steps.

import { version } from "../../package.json";
import type { RunEnvironment } from "../storage/database.ts";
import { Predictor } from "../predict/predict.ts";
import { saveRun, deleteRun } from "../storage/runStore.ts";
import { TrainingError, type Trainer } from "../train/trainer.ts";
import type { EngineSession } from "./engineSession.ts";
import { predictBefore } from "./heldout.ts";
import type { JobControl } from "./jobControl.ts";
import type { Watch, WatchedTraining } from "./liveAttention.ts";
import type { StudioEvent } from "./protocol.ts";
import { identityOf, recordOf, RunKeeper } from "./runKeeper.ts";
import type { TrainJob } from "./trainJob.ts";
import { makePairs, stageTrainer, startLora } from "./trainStage.ts";
import { runSteps, type TrainResult } from "./trainSteps.ts";

/** Runs to the end, or to the step in which it was stopped. */
export async function runTraining(
  session: EngineSession,
  job: TrainJob,
  control: JobControl,
  emit: (event: StudioEvent) => void,
  watchOf: (training: WatchedTraining) => Watch,
): Promise<TrainResult> {
  const { config } = job.run;
  const model = session.openModel;
  const llama = await session.llama(control.signal);
  const { gpu } = llama.queue;
  const kernelsBefore = gpu.kernels;
  if (job.kernels !== null) await llama.useKernels(job.kernels);
  session.forgetLora();
  // From here on a closed tab leaves a run that can be begun again.
  if (job.state === null) await saveRun(recordOf(job.run), job.inputs);
  let trainer: Trainer | null = null;
  let keeper: RunKeeper | null = null;
  const lora = startLora(llama, job.parent, config);
  const predictor = new Predictor(llama, lora);
  try {
    const engine = { session, llama, lora, predictor };
    await predictBefore({ ...engine, run: job.run, inputs: job.inputs, control, emit });
    let { inputs } = job;
    if (config.stage === "dpo" && inputs.pairs === null) {
      const { documents, types } = inputs;
      const input = { llama, lora, predictor, model, config, documents, types, signal: control.signal };
      inputs = { ...inputs, pairs: await makePairs(input, emit) };
    }
    trainer = await stageTrainer(llama, lora, model, config, inputs, control.signal, emit);
    const begun = { ...job.run, totalSteps: trainer.totalSteps };
    const identity = await identityOf(begun, inputs);
    const run = { ...begun, environment: environmentOf(session, identity.data) };
    await saveRun(recordOf(run), inputs);
    if (job.state !== null) trainer.restore(job.state);
    keeper = new RunKeeper(run, identity, gpu.kernels, emit);
    const watch = watchOf({ llama, lora, model, run, signal: control.signal });
    return await runSteps({ ...engine, inputs, control, emit, watch, trainer, keeper, parent: job.parent });
  } catch (error) {
    // Where the GPU is lost, or anything else went wrong from outside, the run can still go on from its last state.
    if (keeper !== null && error instanceof TrainingError) await keeper.end("failed");
    if (keeper === null && job.state === null && session.lost === null) {
      await deleteRun(job.run.id);
      emit({ kind: "runDeleted", id: job.run.id });
    }
    throw error;
  } finally {
    trainer?.destroy();
    predictor.destroy();
    gpu.kernels = kernelsBefore; // they were prepared when the model was loaded
    lora.destroy();
  }
}

function environmentOf({ gpuState }: EngineSession, data: string): RunEnvironment {
  const webgpuAdapter = gpuState.kind === "ready" ? gpuState.report.adapterName : "";
  return { obp: version, browser: navigator.userAgent, webgpuAdapter, data };
}
