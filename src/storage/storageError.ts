/** Reading or writing the browser's storage failed; the message says what is safe and what to do. */
export class StorageError extends Error {
  override name = "StorageError";
}

/** Turns what the browser threw while writing `what` into one clear sentence. */
export function storageFailure(error: unknown, what: string): StorageError {
  if (error instanceof StorageError) return error;
  const full = error instanceof DOMException && error.name === "QuotaExceededError";
  const message = full
    ? `expected room in the browser's storage for ${what}, got a full disk or quota (what was saved earlier is intact; delete a cached model or adapter under Models, or a corpus under Train)`
    : `expected to write ${what} to the browser's storage, got: ${error instanceof Error ? error.message : String(error)} (what was saved earlier is intact)`;
  return new StorageError(message, { cause: error });
}
