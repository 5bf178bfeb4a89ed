// Models kept in the browser, so that the next visit reads them from disk and works offline.

import { studioDatabase, type ModelRecord } from "./database.ts";
import { deleteFile, readFile, writeFile } from "./opfs.ts";
import { storageFailure } from "./storageError.ts";

export async function listModels(): Promise<ModelRecord[]> {
  const records = await (await studioDatabase()).getAll("models");
  return records.sort((a, b) => a.name.localeCompare(b.name));
}

/** Copies a stream of bytes into the cache; `describe` is asked for the record once all bytes are there. */
export async function cacheModel(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
  name: string,
  describe: (file: File) => Promise<Omit<ModelRecord, "file" | "bytes" | "savedAt">>,
): Promise<ModelRecord> {
  const file = `${crypto.randomUUID()}.gguf`;
  const what = `the model ${name}`;
  await writeFile("models", file, chunks, what);
  try {
    const blob = await readFile("models", file);
    const record: ModelRecord = { ...(await describe(blob)), file, bytes: blob.size, savedAt: Date.now() };
    const database = await studioDatabase();
    const earlier = await database.get("models", record.fingerprint);
    await database.put("models", record);
    if (earlier !== undefined) await deleteFile("models", earlier.file);
    return record;
  } catch (error) {
    await deleteFile("models", file);
    throw error instanceof DOMException ? storageFailure(error, what) : error;
  }
}

export function cachedModelFile(record: ModelRecord): Promise<File> {
  return readFile("models", record.file);
}

export async function deleteModel(fingerprint: string): Promise<void> {
  const database = await studioDatabase();
  const record = await database.get("models", fingerprint);
  if (record === undefined) return;
  await database.delete("models", fingerprint);
  await deleteFile("models", record.file);
}
