// A training as it is to be begun, gone on with, or done again.

import type { KernelChoice } from "../gpu/kernelChoice.ts";
import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import type { RunInputs, TrainedStage } from "../storage/database.ts";
import { listRuns, readRun, saveRun } from "../storage/runStore.ts";
import type { TrainConfig } from "../train/config.ts";
import type { TrainerState } from "../train/trainer.ts";
import type { EngineSession } from "./engineSession.ts";
import type { Run, StudioEvent, TrainRequest, UnfinishedChain } from "./protocol.ts";
import { identityOf, latestState, recordOf, runAt, runOf } from "./runKeeper.ts";
import { readParent } from "./trainStage.ts";

/** A run to begin or to go on with. */
export interface TrainJob {
  run: Run;
  /** Null: to be begun. */
  state: TrainerState | null;
  /** What computed that state, so that the same goes on; null: what suits the device. */
  kernels: KernelChoice | null;
  inputs: RunInputs;
  parent: LoraWeights | null;
}

/** A new run. Where it begins with an adapter, its rank, alpha and targets are that one's. */
export async function newJob(session: EngineSession, id: string, request: TrainRequest): Promise<TrainJob> {
  const { name, documents, heldout, types, evaluate, next } = request;
  const { facts } = session.openModel;
  const parent = await readParent(request.parent);
  const { rank, alpha, targets } = parent?.config ?? request.config;
  const config: TrainConfig = { ...request.config, rank, alpha, targets };
  const run: Run = {
    ...{ id, name, config, stage: trainedStage(config), parent: request.parent },
    ...{ model: facts.fingerprint, modelName: facts.name, startedAt: Date.now(), status: "running" },
    ...{ totalSteps: 0, seconds: 0, logs: [], alarms: [], scores: [], pinned: false, checkpoints: [] },
  };
  const isSource = config.stage === "source";
  const corpora = isSource ? request.corpora : [];
  const corpusTypes = isSource ? request.corpusTypes : [];
  const inputs = { id, documents, heldout, types, evaluate, pairs: null, corpora, corpusTypes, next };
  return { run, state: null, kernels: null, inputs, parent };
}

/**
 * A run that was cut off or stopped, as it was at its last checkpoint; from its start where none can be read.
 * @throws Error where it is gone, or of another model or version
 */
export async function resumedJob(
  session: EngineSession,
  id: string,
  emit: (event: StudioEvent) => void,
): Promise<TrainJob> {
  const { run, inputs } = await readOwnRun(session, id);
  const identity = await identityOf(run, inputs);
  const checkpoint = await latestState(run, identity, (message) => emit({ kind: "warning", message }));
  const { state, kernels } = checkpoint ?? { state: null, kernels: null };
  return { run: runAt(run, state), state, kernels, inputs, parent: await readParent(run.parent) };
}

/**
 * A new run like a kept one, and that alone: same settings, data, pairs and seed.
 * @throws Error where it is gone, or of another model
 */
export async function repeatedJob(session: EngineSession, from: string, id: string, name: string): Promise<TrainJob> {
  const { run, inputs } = await readOwnRun(session, from);
  const job = await newJob(session, id, { name, ...inputs, config: run.config, parent: run.parent });
  return { ...job, inputs: { ...inputs, id, next: [] } };
}

/** The first of the stages that were to follow a run, which begins with its adapter; null where none was. */
export async function nextJob(
  session: EngineSession,
  id: string,
  { run, inputs }: Pick<TrainJob, "run" | "inputs">,
): Promise<TrainJob | null> {
  const [stage, ...next] = inputs.next;
  if (stage === undefined) return null;
  const { config } = runOf({ ...recordOf(run), ...stage }); // settings as they are kept, those of another version too
  return newJob(session, id, { ...inputs, name: stage.name, config, parent: run.id, next });
}

/** The stage that was to follow a finished run, and the rest of them. @throws Error where there is none */
export async function followingJob(session: EngineSession, after: string, id: string): Promise<TrainJob> {
  const { run, inputs } = await readOwnRun(session, after);
  const job = await nextJob(session, id, { run, inputs });
  if (job === null) throw new Error(`expected stages to follow "${run.name}", got none`);
  return job;
}

/** The newest run, where it is finished and the stages after it never began: the tab was closed, or they failed. */
export async function unfinishedChain(): Promise<UnfinishedChain | null> {
  const [newest] = await listRuns();
  if (newest?.status !== "finished") return null;
  const { next } = (await readRun(newest.id)).inputs;
  return next.length === 0 ? null : { runId: newest.id, next };
}

/** The stages after a run are not to come any more. */
export async function endChain(runId: string): Promise<void> {
  const { record, inputs } = await readRun(runId);
  await saveRun(record, { ...inputs, next: [] });
}

async function readOwnRun(session: EngineSession, id: string): Promise<{ run: Run; inputs: RunInputs }> {
  const { record, inputs } = await readRun(id);
  const { fingerprint, name } = session.openModel.facts;
  if (record.model !== fingerprint) {
    throw new Error(`expected the model ${record.modelName} to be open, got ${name} (open it under Models)`);
  }
  return { run: runOf(record), inputs };
}

function trainedStage({ stage, contrastiveWeight }: TrainConfig): TrainedStage {
  if (stage !== "sft") return stage;
  return contrastiveWeight > 0 ? "sft+cl" : "sft";
}
