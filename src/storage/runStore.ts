// Trainings kept in the browser: records and what they learn from in the database, checkpoints in OPFS. As everywhere
// here a file counts once a record names it: cut off at any moment, the checkpoint before is still the run's.

import { studioDatabase, type RunInputs, type RunRecord } from "./database.ts";
import { deleteFile, readFile, writeFile } from "./opfs.ts";
import { storageFailure, StorageError } from "./storageError.ts";

/** The one before is kept too, for a file that turns out damaged. */
const KEPT_CHECKPOINTS = 2;

/** Newest first. */
export async function listRuns(): Promise<RunRecord[]> {
  const records = await (await studioDatabase()).getAll("runs");
  return records.sort((a, b) => b.startedAt - a.startedAt);
}

/** @param inputs of a run that begins or goes on: saved with it, both or neither */
export async function saveRun(record: RunRecord, inputs?: RunInputs): Promise<void> {
  try {
    const transaction = (await studioDatabase()).transaction(["runs", "runInputs"], "readwrite");
    await Promise.all([
      transaction.objectStore("runs").put(record),
      ...(inputs === undefined ? [] : [transaction.objectStore("runInputs").put(inputs)]),
      transaction.done,
    ]);
  } catch (error) {
    throw storageFailure(error, `the training "${record.name}"`);
  }
}

export async function readRun(id: string): Promise<{ record: RunRecord; inputs: RunInputs }> {
  const database = await studioDatabase();
  const [record, inputs] = await Promise.all([database.get("runs", id), database.get("runInputs", id)]);
  if (record === undefined || inputs === undefined) {
    throw new StorageError(`expected a training with id ${id}, got none (it was deleted)`);
  }
  return { record, inputs };
}

/** Saves a record with one more checkpoint, and lets those go that are not needed any more. @returns the record as it was saved */
export async function saveCheckpoint(
  record: RunRecord,
  step: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<RunRecord> {
  const file = `${record.id}.${step}.${crypto.randomUUID().slice(0, 8)}.safetensors`;
  await writeFile("checkpoints", file, [bytes], `a checkpoint of "${record.name}"`);
  // Of later steps are those of a run that began afresh, as none of them could be read.
  const before = record.checkpoints.filter((checkpoint) => checkpoint.step < step);
  const checkpoints = [{ file, step }, ...before].slice(0, KEPT_CHECKPOINTS);
  const saved = { ...record, checkpoints };
  try {
    await saveRun(saved);
  } catch (error) {
    await deleteFile("checkpoints", file);
    throw error;
  }
  for (const old of record.checkpoints) {
    if (!checkpoints.includes(old)) await deleteFile("checkpoints", old.file);
  }
  return saved;
}

export async function readCheckpointFile(file: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await readFile("checkpoints", file)).arrayBuffer());
}

/** Saves the record of a run that nothing goes on from. @returns the record as it was saved */
export async function closeRun(record: RunRecord): Promise<RunRecord> {
  const closed = { ...record, checkpoints: [] };
  await saveRun(closed);
  for (const { file } of record.checkpoints) await deleteFile("checkpoints", file);
  return closed;
}

/** Deletes a run with its checkpoints; an adapter that it has saved stays. */
export async function deleteRun(id: string): Promise<void> {
  const database = await studioDatabase();
  const record = await database.get("runs", id);
  const transaction = database.transaction(["runs", "runInputs"], "readwrite");
  await Promise.all([
    transaction.objectStore("runs").delete(id),
    transaction.objectStore("runInputs").delete(id),
    transaction.done,
  ]);
  for (const { file } of record?.checkpoints ?? []) await deleteFile("checkpoints", file);
}
