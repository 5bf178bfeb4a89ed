/** A file on disk, read by ranges (Node). */
import { close, fstat, open, read } from "node:fs";
import { basename } from "node:path";
import { promisify } from "node:util";
import { ByteSourceError, checkRange, type ByteSource } from "../model/gguf/byteSource.ts";
import { errorLine, withPath } from "./errors.ts";

const CLOSED = -1;
// Descriptors, not FileHandles: models stay open until the process ends, and Node warns of handles that nobody closes.
const closeFile = promisify(close);
const statFile = promisify(fstat);
const openFile = promisify(open);
const readFile = promisify(read);

/** @throws ByteSourceError where the path is not a file that can be read; the caller closes the source */
export async function fileSource(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const failed = (error: unknown) => new ByteSourceError(errorLine(withPath(error, path)), { cause: error });
  let file = await openFile(path, "r").catch((error: unknown) => {
    throw failed(error);
  });
  const stat = await statFile(file);
  if (!stat.isFile()) {
    await closeFile(file);
    throw new ByteSourceError(`expected a file at ${path}, got a folder or device (name a file inside it)`);
  }
  const { size } = stat;
  const name = basename(path);
  return {
    name,
    size,
    async read(offset, length) {
      checkRange({ name, size }, offset, length);
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await readFile(file, bytes, done, length - done, offset + done).catch(
          (error: unknown) => {
            throw failed(error);
          },
        );
        if (bytesRead === 0) {
          throw new ByteSourceError(
            `expected ${length} bytes from ${path} at ${offset}, got ${done} (was the file cut meanwhile?)`,
          );
        }
        done += bytesRead;
      }
      return bytes;
    },
    async close() {
      const descriptor = file;
      file = CLOSED; // its number may be another file's soon
      await closeFile(descriptor);
    },
  };
}
