// The model that comes with the studio: fetched from the page's own origin once, then read from the browser's storage.

import type { ModelRecord } from "../storage/database.ts";
import { cachedModelFile, cacheModel, deleteModel, listModels } from "../storage/modelCache.ts";
import { fingerprint } from "./modelFacts.ts";

export const BUNDLED_FILE = "obp-mini.gguf";

export interface BundledModel {
  blob: Blob;
  /** False where the browser's storage did not take it: it then lives in memory. */
  cached: boolean;
}

/**
 * The bundled model from the cache, unless the server has a newer one. Offline, the cached one serves.
 * @param url where the page's server has it: the worker's own script lies in another folder
 * @param onProgress hears bytes fetched, and in all (0 where the server does not say)
 */
export async function openBundledModel(
  url: string,
  onProgress: (done: number, total: number) => void,
): Promise<BundledModel> {
  const cached = (await listModels()).find(({ origin }) => origin.kind === "bundled");
  const etag = await currentEtag(url);
  if (cached?.origin.kind === "bundled" && (etag === null || cached.origin.etag === etag)) {
    const file = await cachedModelFile(cached).catch(() => null);
    if (file !== null) return { blob: file, cached: true };
  }
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    throw new Error(`expected the bundled model at ${url}, got HTTP ${response.status} (reload the page)`);
  }
  const total = Number(response.headers.get("content-length") ?? 0);
  const [toDisk, inMemory] = response.body.tee();
  const kept = saveBundled(
    countBytes(toDisk, (done) => onProgress(done, total)),
    response.headers.get("etag") ?? "",
  );
  const [record, bytes] = await Promise.all([kept.catch(() => null), new Response(inMemory).blob()]);
  if (record === null) return { blob: bytes, cached: false };
  if (cached !== undefined && cached.fingerprint !== record.fingerprint) await deleteModel(cached.fingerprint);
  return { blob: await cachedModelFile(record), cached: true };
}

function saveBundled(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>, etag: string): Promise<ModelRecord> {
  return cacheModel(chunks, BUNDLED_FILE, async (file) => ({
    fingerprint: await fingerprint(file),
    name: BUNDLED_FILE,
    origin: { kind: "bundled", etag },
  }));
}

/** The server's validator of the file, or null when it cannot be reached. */
async function currentEtag(url: string): Promise<string | null> {
  const response = await fetch(url, { method: "HEAD" }).catch(() => null);
  return response?.ok === true ? (response.headers.get("etag") ?? "") : null;
}

async function* countBytes(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onBytes: (done: number) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  let done = 0;
  for (;;) {
    const { value, done: ended } = await reader.read();
    if (ended) return;
    done += value.byteLength;
    onBytes(done);
    yield value;
  }
}
