// Keeps a run in the browser's storage while it goes on, so that a closed tab costs no more than the steps since the last
// checkpoint, and those are taken again as they were.

import type { KernelChoice } from "../gpu/kernelChoice.ts";
import type { HeldoutScore } from "../ner/heldoutScores.ts";
import { readCorpora } from "../storage/corpusStore.ts";
import type { RunInputs, RunRecord } from "../storage/database.ts";
import { closeRun, deleteRun, readCheckpointFile, saveCheckpoint, saveRun } from "../storage/runStore.ts";
import {
  type Checkpoint,
  checkSameRun,
  CheckpointVersionError,
  BEFORE_PACKING,
  readCheckpoint,
  type RunIdentity,
  writeCheckpoint,
} from "../train/checkpoint.ts";
import type { TrainConfig } from "../train/config.ts";
import { parseSettings } from "../train/parseSettings.ts";
import { STAGE_DEFAULTS } from "../train/presets.ts";
import type { StepLog, Trainer, TrainerState } from "../train/trainer.ts";
import type { Run, StudioEvent } from "./protocol.ts";

/** A run as the page and the trainer know it. @throws Error where its settings are not this version's */
export function runOf(record: RunRecord): Run {
  const settings = parseSettings(record.config, `the training "${record.name}"`);
  const config: TrainConfig = { ...STAGE_DEFAULTS[settings.stage ?? "sft"], ...BEFORE_PACKING, ...settings };
  return { ...record, config, logs: record.logs as readonly StepLog[] };
}

/** @returns the runs that can be read; those of another version are left alone */
export function runsOf(records: readonly RunRecord[]): Run[] {
  return records.flatMap((record) => {
    try {
      return [runOf(record)];
    } catch {
      return [];
    }
  });
}

/** What must be the same for a run to go on. @throws StorageError where a corpus was deleted */
export async function identityOf(run: Run, inputs: RunInputs): Promise<RunIdentity> {
  const { documents, types, pairs, corpora, corpusTypes } = inputs;
  const files = (await readCorpora(corpora)).map(({ fingerprint }) => fingerprint);
  const source = files.length === 0 ? {} : { corpora: files, corpusTypes };
  const bytes = new TextEncoder().encode(JSON.stringify({ documents, types, pairs, ...source }));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const data = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { config: run.config, model: run.model, data, start: run.parent ?? "" };
}

/**
 * The newest state that can be read; null where there is none, so that the run begins afresh. One that is damaged is named.
 * @throws Error where the state is of another run or version
 */
export async function latestState(
  run: Run,
  identity: RunIdentity,
  warn: (message: string) => void,
): Promise<Checkpoint | null> {
  for (const { file, step } of run.checkpoints) {
    let checkpoint: Checkpoint;
    try {
      checkpoint = readCheckpoint(await readCheckpointFile(file));
    } catch (error) {
      if (error instanceof CheckpointVersionError) throw error;
      warn(`The state after step ${step} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    checkSameRun(checkpoint.identity, identity);
    return checkpoint;
  }
  if (run.checkpoints.length > 0) {
    warn(`No state of "${run.name}" can be used: it begins afresh, on the same data with the same seed.`);
  }
  return null;
}

/** A run as it was when `state` was saved, or as before its first step. */
export function runAt(run: Run, state: TrainerState | null): Run {
  if (state === null) return { ...run, logs: [], scores: [], alarms: [], seconds: 0, status: "running" };
  const scores = run.scores.filter(({ step }) => step <= state.stepsDone);
  return { ...run, logs: run.logs.slice(0, state.stepsDone), scores, status: "running" };
}

export class RunKeeper {
  #run: Run;
  readonly #identity: RunIdentity;
  readonly #kernels: KernelChoice;
  readonly #emit: (event: StudioEvent) => void;
  /** Steps of the newest checkpoint. */
  #saved: number;

  /** @param run saved already; its logs are those of the state that it goes on from */
  constructor(run: Run, identity: RunIdentity, kernels: KernelChoice, emit: (event: StudioEvent) => void) {
    this.#run = run;
    this.#identity = identity;
    this.#kernels = kernels;
    this.#emit = emit;
    this.#saved = run.logs.length;
    this.#tell();
  }

  get run(): Run {
    return this.#run;
  }

  /** A step is done; it is written with the next checkpoint. */
  add(log: StepLog, seconds: number): void {
    const { logs, seconds: before } = this.#run;
    this.#run = { ...this.#run, logs: [...logs, log], seconds: before + seconds };
  }

  /** A held-out score; it is written with the next checkpoint. */
  score(score: HeldoutScore): void {
    this.#run = { ...this.#run, scores: [...this.#run.scores, score] };
    this.#tell();
  }

  alarm(message: string): void {
    this.#run = { ...this.#run, alarms: [...this.#run.alarms, message] };
    this.#emit({ kind: "alarm", message });
  }

  /** Saves where the trainer is, unless it was saved there already. */
  async checkpoint(trainer: Trainer): Promise<void> {
    if (trainer.stepsDone === this.#saved) return;
    const bytes = writeCheckpoint({
      state: await trainer.state(),
      identity: this.#identity,
      kernels: this.#kernels,
    });
    this.#take(await saveCheckpoint(recordOf(this.#run), trainer.stepsDone, bytes));
    this.#saved = trainer.stepsDone;
  }

  /** A stopped run can go on; a finished or failed one is over. One stopped before its first step never was. */
  async end(status: "stopped" | "finished" | "failed"): Promise<void> {
    const record = { ...recordOf(this.#run), status };
    if (record.logs.length === 0) {
      await deleteRun(record.id);
      this.#emit({ kind: "runDeleted", id: record.id });
    } else if (status === "stopped") {
      await saveRun(record);
      this.#take(record);
    } else {
      this.#take(await closeRun(record));
    }
  }

  #take({ status, checkpoints }: RunRecord): void {
    this.#run = { ...this.#run, status, checkpoints };
    this.#tell();
  }

  #tell(): void {
    this.#emit({ kind: "run", run: this.#run });
  }
}

/** As the database keeps it. */
export function recordOf(run: Run): RunRecord {
  return { ...run, config: { ...run.config } };
}
