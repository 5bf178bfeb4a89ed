// Adapters kept in the browser: a record in the database, the weights as adapter_model.safetensors in OPFS.

import { studioDatabase, type AdapterRecord } from "./database.ts";
import { deleteFile, readFile, writeFile } from "./opfs.ts";
import { storageFailure, StorageError } from "./storageError.ts";

/** Newest first. */
export async function listAdapters(): Promise<AdapterRecord[]> {
  const records = await (await studioDatabase()).getAll("adapters");
  return records.sort((a, b) => b.createdAt - a.createdAt);
}

/**
 * Saves an adapter, or a newer state of one that is there. The earlier file goes only after the record names the new
 * one: cut off anywhere, either the old or the new state is whole.
 */
export async function saveAdapter(
  record: Omit<AdapterRecord, "file" | "bytes">,
  weights: Uint8Array<ArrayBuffer>,
): Promise<AdapterRecord> {
  const file = `${record.id}.${crypto.randomUUID().slice(0, 8)}.safetensors`;
  const what = `the adapter "${record.name}"`;
  await writeFile("adapters", file, [weights], what);
  const database = await studioDatabase();
  const earlier = await database.get("adapters", record.id);
  const saved: AdapterRecord = { ...record, file, bytes: weights.byteLength };
  try {
    await database.put("adapters", saved);
  } catch (error) {
    await deleteFile("adapters", file);
    throw storageFailure(error, what);
  }
  if (earlier !== undefined) await deleteFile("adapters", earlier.file);
  return saved;
}

export async function readAdapter(id: string): Promise<{ record: AdapterRecord; weights: Uint8Array<ArrayBuffer> }> {
  const record = await (await studioDatabase()).get("adapters", id);
  if (record === undefined) throw new StorageError(`expected an adapter with id ${id}, got none (it was deleted)`);
  const file = await readFile("adapters", record.file);
  return { record, weights: new Uint8Array(await file.arrayBuffer()) };
}

export async function renameAdapter(id: string, name: string): Promise<void> {
  const database = await studioDatabase();
  const record = await database.get("adapters", id);
  if (record !== undefined) await database.put("adapters", { ...record, name });
}

/** Deletes an adapter with its weights and its saved predictions. */
export async function deleteAdapter(id: string): Promise<void> {
  const database = await studioDatabase();
  const record = await database.get("adapters", id);
  if (record === undefined) return;
  const transaction = database.transaction(["adapters", "predictions"], "readwrite");
  const predictions = transaction.objectStore("predictions");
  const stale = (await predictions.getAll()).filter((prediction) => prediction.adapter === id);
  await Promise.all([
    transaction.objectStore("adapters").delete(id),
    ...stale.map(({ key }) => predictions.delete(key)),
    transaction.done,
  ]);
  await deleteFile("adapters", record.file);
}
