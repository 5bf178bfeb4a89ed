// Adapters kept in the browser: a record in the database, the weights as adapter_model.safetensors in OPFS. Those after
// the run's last step lie beside them where the ones that were kept are better.

import { studioDatabase, type AdapterRecord } from "./database.ts";
import { deleteFile, readFile, writeFile } from "./opfs.ts";
import { storageFailure, StorageError } from "./storageError.ts";

const LAST = "-last";

/** A state of the model: an adapter's weights after its run's last step, where those in use are others. */
export function lastState(id: string): string {
  return id + LAST;
}

/** The adapter that a state of the model is of: its id alone names the weights in use. */
export function adapterOf(state: string): string {
  return state.endsWith(LAST) ? state.slice(0, -LAST.length) : state;
}

/** Newest first. */
export async function listAdapters(): Promise<AdapterRecord[]> {
  const records = await (await studioDatabase()).getAll("adapters");
  return records.sort((a, b) => b.createdAt - a.createdAt);
}

/**
 * Saves an adapter, or a newer state of one that is there. The earlier files go only after the record names the new
 * one: cut off anywhere, either the old or the new state is whole.
 */
export async function saveAdapter(
  record: Omit<AdapterRecord, "file" | "bytes" | "last">,
  weights: Uint8Array<ArrayBuffer>,
): Promise<AdapterRecord> {
  const written = await writeWeights(record, weights);
  return putAdapter({ ...record, ...written }, written.file);
}

/**
 * Keeps the weights after a run's last step beside those of an adapter, which stay the ones in use.
 * @returns null where the adapter was deleted meanwhile
 */
export async function saveLastWeights(id: string, weights: Uint8Array<ArrayBuffer>): Promise<AdapterRecord | null> {
  const record = await (await studioDatabase()).get("adapters", id);
  if (record === undefined) return null;
  const last = await writeWeights(record, weights);
  return putAdapter({ ...record, last }, last.file);
}

async function writeWeights(
  { id, name }: Pick<AdapterRecord, "id" | "name">,
  weights: Uint8Array<ArrayBuffer>,
): Promise<{ file: string; bytes: number }> {
  const file = `${id}.${crypto.randomUUID().slice(0, 8)}.safetensors`;
  await writeFile("adapters", file, [weights], `the adapter "${name}"`);
  return { file, bytes: weights.byteLength };
}

/** @param written the file that only this record names: it goes where the record cannot be saved */
async function putAdapter(record: AdapterRecord, written: string): Promise<AdapterRecord> {
  const database = await studioDatabase();
  const earlier = await database.get("adapters", record.id);
  try {
    await database.put("adapters", record);
  } catch (error) {
    await deleteFile("adapters", written);
    throw storageFailure(error, `the adapter "${record.name}"`);
  }
  const named = weightFiles(record);
  for (const file of earlier === undefined ? [] : weightFiles(earlier)) {
    if (!named.includes(file)) await deleteFile("adapters", file);
  }
  return record;
}

function weightFiles({ file, last }: AdapterRecord): string[] {
  return last === undefined ? [file] : [file, last.file];
}

export async function readAdapter(id: string): Promise<{ record: AdapterRecord; weights: Uint8Array<ArrayBuffer> }> {
  const record = await (await studioDatabase()).get("adapters", id);
  if (record === undefined) throw new StorageError(`expected an adapter with id ${id}, got none (it was deleted)`);
  return { record, weights: await readWeights(record.file) };
}

/** An adapter in one of its states (`lastState`). @throws StorageError where it is not there any more */
export async function readState(state: string): Promise<{ configJson: string; weights: Uint8Array<ArrayBuffer> }> {
  const { record, weights } = await readAdapter(adapterOf(state));
  const { configJson } = record;
  // Where nothing else was kept the last weights are those in use.
  return { configJson, weights: adapterOf(state) === state ? weights : ((await readLastWeights(record)) ?? weights) };
}

/** The file of a state's weights, another one whenever they are saved anew; undefined where there is none. */
export async function weightsOf(state: string | null): Promise<string | undefined> {
  if (state === null) return undefined;
  const record = await (await studioDatabase()).get("adapters", adapterOf(state));
  return state === record?.id ? record.file : (record?.last?.file ?? record?.file);
}

/** The weights after the run's last step; null where they are the adapter's own. */
export async function readLastWeights({ last }: AdapterRecord): Promise<Uint8Array<ArrayBuffer> | null> {
  return last === undefined ? null : readWeights(last.file);
}

async function readWeights(file: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await readFile("adapters", file)).arrayBuffer());
}

export async function renameAdapter(id: string, name: string): Promise<void> {
  const transaction = (await studioDatabase()).transaction("adapters", "readwrite");
  const record = await transaction.store.get(id);
  // In one transaction: a state that is saved meanwhile would be lost.
  if (record !== undefined) await transaction.store.put({ ...record, name });
  await transaction.done;
}

/** Deletes an adapter with all its weights and its saved predictions. */
export async function deleteAdapter(id: string): Promise<void> {
  const database = await studioDatabase();
  const record = await database.get("adapters", id);
  if (record === undefined) return;
  const transaction = database.transaction(["adapters", "predictions"], "readwrite");
  const predictions = transaction.objectStore("predictions");
  const stale = (await predictions.getAll()).filter(({ adapter }) => adapter !== null && adapterOf(adapter) === id);
  await Promise.all([
    transaction.objectStore("adapters").delete(id),
    ...stale.map(({ key }) => predictions.delete(key)),
    transaction.done,
  ]);
  for (const file of weightFiles(record)) await deleteFile("adapters", file);
}
