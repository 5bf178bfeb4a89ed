// Checkpoints of a run: run/checkpoint-<step>.safetensors, the newest two kept, so that a damaged one costs little.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Checkpoint, CheckpointVersionError, readCheckpoint, writeCheckpoint } from "../train/checkpoint.ts";
import { writeFileAtomic } from "./atomicFile.ts";
import { errorLine } from "./errors.ts";
import { readBytes } from "./readFile.ts";

const KEPT = 2;
const PATTERN = /^checkpoint-(\d+)\.safetensors$/;

/** Writes a checkpoint whole, then removes the oldest ones. */
export function saveCheckpoint(folder: string, checkpoint: Checkpoint): void {
  const path = join(folder, `checkpoint-${checkpoint.state.stepsDone}.safetensors`);
  writeFileAtomic(path, writeCheckpoint(checkpoint));
  for (const { path: old } of checkpoints(folder).slice(KEPT)) {
    rmSync(old, { force: true });
  }
}

/**
 * The newest checkpoint that can be read; null where there is none. One that is damaged is named.
 * @throws Error where another version wrote one
 */
export function latestCheckpoint(folder: string, note: (line: string) => void): Checkpoint | null {
  for (const { path } of checkpoints(folder)) {
    try {
      return readCheckpoint(readBytes(path));
    } catch (error) {
      if (error instanceof CheckpointVersionError) {
        throw new Error(`expected to go on from ${path}, got: ${error.message}`, { cause: error });
      }
      note(`${path} cannot be used: ${errorLine(error)}; trying the one before`);
    }
  }
  return null;
}

/** A run that starts afresh must not leave another run's checkpoints behind to be resumed, nor its scores and adapters. */
export function removeEarlierRun(folder: string): void {
  const scored = ["evals.jsonl", "best", "last"].map((name) => join(folder, name));
  for (const path of [...checkpoints(folder).map((checkpoint) => checkpoint.path), ...scored]) {
    rmSync(path, { force: true, recursive: true });
  }
}

/** Newest first. */
function checkpoints(folder: string): { readonly path: string; readonly step: number }[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return []; // no run has been here yet
  }
  return names
    .flatMap((name) => {
      const step = PATTERN.exec(name)?.[1];
      return step === undefined ? [] : [{ path: join(folder, name), step: Number(step) }];
    })
    .sort((a, b) => b.step - a.step);
}
