/** A file on disk, read by ranges (Node). */
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { ByteSourceError, checkRange, type ByteSource } from "../model/gguf/byteSource.ts";
import { errorLine, withPath } from "./errors.ts";

/** @throws ByteSourceError where the path is not a file that can be read; the caller closes the source */
export async function fileSource(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const failed = (error: unknown) => new ByteSourceError(errorLine(withPath(error, path)), { cause: error });
  const file = await open(path, "r").catch((error: unknown) => {
    throw failed(error);
  });
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
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
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done).catch((error: unknown) => {
          throw failed(error);
        });
        if (bytesRead === 0) {
          throw new ByteSourceError(
            `expected ${length} bytes from ${path} at ${offset}, got ${done} (was the file cut meanwhile?)`,
          );
        }
        done += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}
