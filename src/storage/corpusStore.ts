// Source corpora kept in the browser: what is in each as a record in the database, the file itself in OPFS.

import { type CorpusRecord, studioDatabase } from "./database.ts";
import { deleteFile, readFile, writeFile } from "./opfs.ts";
import { storageFailure, StorageError } from "./storageError.ts";

/** In the order in which they were added. */
export async function listCorpora(): Promise<CorpusRecord[]> {
  const records = await (await studioDatabase()).getAll("corpora");
  return records.sort((a, b) => a.addedAt - b.addedAt);
}

/**
 * Keeps a corpus. Its file counts once the record names it: cut off at any moment, nothing shows of it.
 * @param chunks the file; what they throw is thrown here, and nothing is kept
 * @param describe asked for the rest of the record when all of them are there; what it throws likewise
 */
export async function saveCorpus(
  name: string,
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
  describe: () => Pick<CorpusRecord, "fingerprint" | "bytes" | "format" | "sentences" | "types">,
): Promise<CorpusRecord> {
  const id = crypto.randomUUID();
  const what = `the corpus ${name}`;
  await writeFile("corpora", id, chunks, what);
  try {
    const record: CorpusRecord = { id, name, ...describe(), addedAt: Date.now(), file: id };
    await (await studioDatabase()).put("corpora", record);
    return record;
  } catch (error) {
    await deleteFile("corpora", id);
    throw error instanceof DOMException ? storageFailure(error, what) : error;
  }
}

/** @throws StorageError where one of them was deleted */
export async function readCorpora(ids: readonly string[]): Promise<CorpusRecord[]> {
  if (ids.length === 0) return [];
  const database = await studioDatabase();
  const records = await Promise.all(ids.map((id) => database.get("corpora", id)));
  return records.map((record) => {
    if (record === undefined) {
      throw new StorageError("expected the corpora that the training began with, got one that was deleted");
    }
    return record;
  });
}

export function corpusFile(record: CorpusRecord): Promise<File> {
  return readFile("corpora", record.file);
}

export async function deleteCorpus(id: string): Promise<void> {
  const database = await studioDatabase();
  const record = await database.get("corpora", id);
  if (record === undefined) return;
  await database.delete("corpora", id);
  await deleteFile("corpora", record.file);
}
