// What the command line says when it cannot go on: one line, and the exit code that goes with it.

/** A mistake in how the command was typed: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The user pressed Ctrl-C: exit code 130, as shells expect of SIGINT. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  constructor(message = "expected to finish, got Ctrl-C (nothing was written)") {
    super(message);
  }
}

/** What the operating system's error codes mean to someone who typed a path. */
const systemErrors: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `expected a file or folder at ${path}, got nothing there (check the path)`,
  EISDIR: (path) => `expected a file at ${path}, got a folder (name a file inside it)`,
  ENOTDIR: (path) => `expected a folder on the way to ${path}, got a file (check the path)`,
  EEXIST: (path) => `expected nothing at ${path}, got a file there (remove or rename it)`,
  EACCES: (path) => `expected access to ${path}, got permission denied (check its owner and mode)`,
  EPERM: (path) => `expected access to ${path}, got permission denied (check its owner and mode)`,
  EROFS: (path) => `expected a writable place for ${path}, got a read-only file system (choose another folder)`,
  ENOSPC: (path) => `expected room on the disk for ${path}, got a full disk (free some space or choose another folder)`,
  EFBIG: (path) => `expected room for ${path}, got the limit on the size of files (see ulimit -f)`,
  EDQUOT: (path) => `expected room for ${path}, got an exhausted quota (free some space or choose another folder)`,
};

function isSystemError(error: Error): error is NodeJS.ErrnoException & { code: string } {
  return "code" in error && typeof error.code === "string" && "syscall" in error;
}

/** The error of a read, write or fsync, which the system reports without a path, with the path it was about. */
export function withPath<E>(error: E, path: string): E {
  return error instanceof Error && "syscall" in error ? Object.assign(error, { path }) : error;
}

/** One line, without the leading "error: ". */
export function errorLine(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const known = isSystemError(error) ? systemErrors[error.code]?.(error.path ?? "the output") : undefined;
  return (known ?? (error.message === "" ? error.name : error.message)).replace(/\s*\n\s*/g, " ");
}

/** The process's exit code after `error`. */
export function exitCode(error: unknown): number {
  return error instanceof UsageError ? 2 : error instanceof InterruptedError ? 130 : 1;
}
