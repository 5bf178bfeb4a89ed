// Output files appear whole or not at all: written under a temporary name beside the target, flushed to the
// disk, then renamed. A run that fails, is interrupted or fills the disk leaves the earlier file as it was.
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { withPath } from "./errors.ts";

/** Temporary files of this process that still have to be renamed or removed. */
const unfinished = new Set<string>();
process.on("exit", () => {
  for (const path of unfinished) {
    rmSync(path, { force: true });
  }
});

/** A file being written; nothing is seen at its path before `commit`. */
export class AtomicFile {
  readonly #path: string;
  readonly #temporary: string | null;
  readonly #descriptor: number;
  #open = true;

  /** Creates missing folders on the way. @throws the system's error, with its path. */
  constructor(path: string) {
    if (isSpecial(path)) {
      // A pipe or a device (/dev/stdout) can only be written in place; renaming would replace the device itself.
      this.#path = path;
      this.#temporary = null;
      this.#descriptor = openSync(path, constants.O_WRONLY);
      return;
    }
    this.#path = followLink(path);
    const folder = dirname(this.#path);
    makeFolder(folder);
    this.#temporary = join(folder, `.${basename(this.#path)}.${process.pid}.tmp`);
    try {
      this.#descriptor = openSync(this.#temporary, "w");
    } catch (error) {
      throw withPath(error, path); // nobody knows the temporary name
    }
    unfinished.add(this.#temporary);
  }

  /** Appends; a failed write removes the temporary file. */
  write(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    try {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.#descriptor, bytes, done);
      }
    } catch (error) {
      this.discard();
      throw withPath(error, this.#path);
    }
  }

  /** Flushes to the disk what was written, without showing it yet. */
  flush(): void {
    if (this.#temporary === null) {
      return;
    }
    try {
      fsyncSync(this.#descriptor);
    } catch (error) {
      this.discard();
      throw withPath(error, this.#path);
    }
  }

  /** Makes the file visible under its own name. */
  commit(): void {
    this.flush();
    this.#close();
    if (this.#temporary !== null) {
      renameSync(this.#temporary, this.#path);
      unfinished.delete(this.#temporary);
      syncFolder(dirname(this.#path));
    }
  }

  /** Removes what was written; does nothing after `commit`. */
  discard(): void {
    if (!this.#open) {
      return;
    }
    this.#close();
    if (this.#temporary !== null) {
      rmSync(this.#temporary, { force: true });
      unfinished.delete(this.#temporary);
    }
  }

  #close(): void {
    this.#open = false;
    closeSync(this.#descriptor);
  }
}

/**
 * Writes several files together: none is renamed before all are safely on the disk.
 * @param written files that were written piece by piece, to appear with the others
 */
export function writeFilesAtomic(
  files: ReadonlyMap<string, string | Uint8Array>,
  written: readonly AtomicFile[] = [],
): void {
  const open = [...written];
  try {
    written.forEach((file) => file.flush());
    for (const [path, data] of files) {
      const file = new AtomicFile(path);
      open.push(file);
      file.write(data);
      file.flush();
    }
  } catch (error) {
    open.forEach((file) => file.discard());
    throw error;
  }
  open.forEach((file) => file.commit());
}

/** Writes one file whole or not at all. */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  writeFilesAtomic(new Map([[path, data]]));
}

/** Fails at once, before hours of work, where `path` could not be written at the end. */
export function checkWritable(path: string): void {
  new AtomicFile(path).discard();
}

/** mkdir -p. Node's own recursive form never returns where a file system refuses folders (nodejs 20, /proc). */
export function makeFolder(path: string): void {
  if (!existsSync(path)) {
    makeFolder(dirname(path));
    try {
      mkdirSync(path);
    } catch (error) {
      if (!existsSync(path)) {
        throw error; // and not merely made by another process meanwhile
      }
    }
  }
}

/** Where a symbolic link points, so that the link itself survives the rename. */
function followLink(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // nothing there yet
  }
}

/** Whether something that is no regular file stands at `path`; a folder is an error. */
function isSpecial(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true || path.endsWith("/")) {
    throw new Error(`expected a file name to write to, got the folder ${path} (name a file inside it)`);
  }
  return stat !== undefined && !stat.isFile();
}

/** The rename itself must reach the disk too; not every file system lets a folder be flushed. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, constants.O_RDONLY);
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch {
    // The file is complete either way.
  }
}
