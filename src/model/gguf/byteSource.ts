/** Bytes that are read by ranges: a file of any size, wherever it lies, without ever being in memory whole. */

export interface ByteSource {
  /** file name without folders, for messages and to find the other files of a split set */
  readonly name: string;
  /** bytes */
  readonly size: number;
  /** Exactly `length` bytes from `offset`, or throws ByteSourceError. The result is the caller's to keep. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Bytes could not be read: one sentence, fit to be shown. */
export class ByteSourceError extends Error {
  override readonly name = "ByteSourceError";
}

/** Throws ByteSourceError unless `length` bytes from `offset` lie within the source. */
export function checkRange(source: { name: string; size: number }, offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!whole || offset + length > source.size) {
    throw new ByteSourceError(
      `expected bytes ${offset} to ${offset + length} of ${source.name}, got a file of ${source.size} bytes`,
    );
  }
}

export function bytesSource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read: (offset, length) =>
      Promise.resolve().then(() => {
        checkRange({ name, size: bytes.byteLength }, offset, length);
        return new Uint8Array(bytes.subarray(offset, offset + length));
      }),
  };
}

/** A File or Blob; where it is a file on disk that changes or vanishes meanwhile, a read throws. */
export function blobSource(blob: Blob, name: string): ByteSource {
  const size = blob.size;
  return {
    name,
    size,
    async read(offset, length) {
      checkRange({ name, size }, offset, length);
      let buffer: ArrayBuffer;
      try {
        buffer = await blob.slice(offset, offset + length).arrayBuffer();
      } catch (error) {
        throw new ByteSourceError(
          `expected to read ${length} bytes of ${name}, got: ${messageOf(error)} (was the file moved or changed? open it again)`,
          { cause: error },
        );
      }
      return exactly(new Uint8Array(buffer), length, name);
    },
  };
}

/** The part of FileSystemSyncAccessHandle (OPFS, dedicated workers only) that reading needs. */
export interface SyncReadHandle {
  getSize(): number;
  read(buffer: Uint8Array<ArrayBuffer>, options: { at: number }): number;
}

/** An open OPFS handle; the caller closes it when the source is no longer needed. */
export function syncHandleSource(handle: SyncReadHandle, name: string): ByteSource {
  const size = handle.getSize();
  return {
    name,
    size,
    read: (offset, length) =>
      Promise.resolve().then(() => {
        checkRange({ name, size }, offset, length);
        const bytes = new Uint8Array(length);
        return exactly(bytes.subarray(0, handle.read(bytes, { at: offset })), length, name);
      }),
  };
}

function exactly(bytes: Uint8Array<ArrayBuffer>, length: number, name: string): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength === length) return bytes;
  throw new ByteSourceError(
    `expected ${length} bytes from ${name}, got ${bytes.byteLength} (was the file changed meanwhile? open it again)`,
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
