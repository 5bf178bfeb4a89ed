// Files in the origin-private file system. A new file is always written under a new name: a record in the database
// makes it count, and an earlier file is deleted only afterwards.

import { StorageError, storageFailure } from "./storageError.ts";

export type Folder = "models" | "adapters" | "checkpoints" | "corpora";

async function folderHandle(folder: Folder): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(folder, { create: true });
}

/** Writes `chunks` to a new file; on any failure, of theirs too, nothing of it remains. */
export async function writeFile(
  folder: Folder,
  name: string,
  chunks: Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>,
  what: string,
): Promise<void> {
  try {
    const directory = await folderHandle(folder);
    const handle = await directory.getFileHandle(name, { create: true });
    const writable = await handle.createWritable();
    try {
      for await (const chunk of chunks) await writable.write(chunk);
      await writable.close();
    } catch (error) {
      await writable.abort().catch(() => undefined);
      await directory.removeEntry(name).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    // What the chunks themselves threw is no failure of the storage.
    throw error instanceof DOMException ? storageFailure(error, what) : error;
  }
}

/** The file as a Blob: its bytes are read only where they are asked for. */
export async function readFile(folder: Folder, name: string): Promise<File> {
  const directory = await folderHandle(folder);
  try {
    return await (await directory.getFileHandle(name)).getFile();
  } catch (error) {
    throw new StorageError(
      `expected the file ${name} in the browser's ${folder}, got none (the browser may have cleared it; import it again)`,
      { cause: error },
    );
  }
}

/** Deleting a file that is gone already is fine. */
export async function deleteFile(folder: Folder, name: string): Promise<void> {
  const directory = await folderHandle(folder);
  await directory.removeEntry(name).catch(() => undefined);
}

/** Bytes in use and allowed for this origin, as the browser tells them. */
export async function storageUse(): Promise<{ usage: number; quota: number }> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return { usage, quota };
}
