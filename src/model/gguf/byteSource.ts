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

/**
 * A file on a web server that answers Range requests, as the Hugging Face hub does; redirects are followed each time,
 * because the addresses they lead to expire.
 * @throws ByteSourceError where the server does not answer or ignores Range; the signal's reason where it aborts
 */
export async function httpSource(
  url: string | URL,
  options: { fetch?: typeof fetch; signal?: AbortSignal } = {},
): Promise<ByteSource> {
  const name = fileNameOf(new URL(url));
  const first = await requestRange(url, name, 0, 1, options);
  await readBody(first.response, name, 1, options.signal);
  const { size, etag } = first;
  return {
    name,
    size,
    async read(offset, length) {
      checkRange({ name, size }, offset, length);
      if (length === 0) return new Uint8Array(0);
      const range = await requestRange(url, name, offset, length, options);
      if (range.size !== size || (range.etag !== null && etag !== null && range.etag !== etag)) {
        await range.response.body?.cancel();
        throw new ByteSourceError(
          `expected ${name} to stay the same on ${range.host}, got another version (open it again)`,
        );
      }
      return readBody(range.response, name, length, options.signal);
    },
  };
}

interface RangeResponse {
  readonly response: Response;
  readonly host: string;
  /** of the whole file */
  readonly size: number;
  readonly etag: string | null;
}

async function requestRange(
  url: string | URL,
  name: string,
  offset: number,
  length: number,
  options: { fetch?: typeof fetch; signal?: AbortSignal },
): Promise<RangeResponse> {
  const send = options.fetch ?? fetch;
  const { host } = new URL(url);
  const last = offset + length - 1;
  let response: Response;
  try {
    response = await send(url, {
      headers: { range: `bytes=${offset}-${last}` },
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new ByteSourceError(`expected an answer from ${host} for ${name}, got: ${causeOf(error)} (are you online?)`, {
      cause: error,
    });
  }
  const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (response.status === 206 && Number(from) === offset && Number(to) === last) {
    return { response, host, size: Number(total), etag: response.headers.get("etag") };
  }
  // The body may be the whole file: it is not wanted.
  await response.body?.cancel();
  throw new ByteSourceError(refusal(response, name, host, offset, last));
}

function refusal(response: Response, name: string, host: string, offset: number, last: number): string {
  const got = `HTTP ${response.status}${response.statusText === "" ? "" : ` ${response.statusText}`}`;
  if (response.status === 206) {
    const range = response.headers.get("content-range") ?? "no Content-Range that this page may read";
    return `expected bytes ${offset}-${last} of ${name} from ${host}, got ${range} (download the file and open it from disk)`;
  }
  if (response.ok) {
    return `expected ${host} to answer a Range request for ${name}, got the whole file (download it and open it from disk)`;
  }
  const hints: Record<number, string> = {
    401: "it needs you to sign in, or a token",
    403: "it may be gated: accept its terms there first",
    404: "check the address",
    429: "too many requests: wait a minute",
  };
  const hint =
    hints[response.status] ?? (response.status >= 500 ? "the server is in trouble: try again later" : undefined);
  return `expected ${name} from ${host}, got ${got}${hint === undefined ? "" : ` (${hint})`}`;
}

async function readBody(
  response: Response,
  name: string,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let done = 0;
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const chunk = await reader?.read();
      if (chunk?.value === undefined) break;
      if (done + chunk.value.byteLength > length) {
        await reader?.cancel();
        throw new ByteSourceError(`expected ${length} bytes of ${name}, got more (the server's answer is broken)`);
      }
      bytes.set(chunk.value, done);
      done += chunk.value.byteLength;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ByteSourceError) throw error;
    throw new ByteSourceError(
      `expected ${length} bytes of ${name}, got ${done} and then: ${causeOf(error)} (the connection was cut: try again)`,
      { cause: error },
    );
  }
  if (done === length) return bytes;
  throw new ByteSourceError(`expected ${length} bytes of ${name}, got ${done} (the connection was cut: try again)`);
}

function fileNameOf(url: URL): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** Node says "fetch failed" and keeps the reason in `cause`. */
function causeOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error);
}

function exactly(bytes: Uint8Array<ArrayBuffer>, length: number, name: string): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength === length) return bytes;
  throw new ByteSourceError(
    `expected ${length} bytes from ${name}, got ${bytes.byteLength} (was the file changed meanwhile? open it again)`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
