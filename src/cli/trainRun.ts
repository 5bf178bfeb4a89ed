// What a training run leaves beside its adapter: run/config.json, run/environment.json and the step log.
import { createHash } from "node:crypto";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { version } from "../../package.json";
import type { ByteSource } from "../model/gguf/byteSource.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import type { TrainConfig } from "../train/config.ts";
import type { StepLog } from "../train/trainer.ts";
import { makeFolder, writeFileAtomic } from "./atomicFile.ts";
import { withPath } from "./errors.ts";
import { fileSource } from "./fileSource.ts";
import { inFile, readText } from "./readFile.ts";

const HASH_CHUNK = 16 << 20;

/** The step log, one JSON object a line; each line is with the system before the next step begins. */
export class StepLogFiles {
  readonly #paths: readonly string[];
  readonly #before: readonly StepLog[];
  #descriptors: number[] = [];

  /**
   * Opened at the first step: a run that fails before leaves earlier logs alone.
   * @param before steps of a run that goes on, up to its checkpoint; what the files hold beyond is cut off
   */
  constructor(paths: readonly string[], before: readonly StepLog[]) {
    this.#paths = paths;
    this.#before = before;
  }

  write(log: StepLog): void {
    if (this.#descriptors.length === 0) {
      this.#descriptors = this.#paths.map((path) => {
        makeFolder(dirname(path));
        if (this.#before.length > 0) {
          // Whole or not at all: a run killed here could not be resumed a second time.
          writeFileAtomic(path, this.#before.map(line).join(""));
          return openSync(path, "a");
        }
        return openSync(path, "w");
      });
    }
    for (const [index, descriptor] of this.#descriptors.entries()) {
      try {
        writeSync(descriptor, line(log));
      } catch (error) {
        throw withPath(error, this.#paths[index] ?? "the step log");
      }
    }
  }

  close(): void {
    this.#descriptors.forEach((descriptor) => closeSync(descriptor));
    this.#descriptors = [];
  }
}

export interface RunFacts {
  readonly config: TrainConfig;
  readonly gguf: GgufFile;
  readonly modelHashes: Readonly<Record<string, string>>;
  /** SHA-256 of the files read besides the model, by path. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Of the adapter that the run began with; "": a fresh one. */
  readonly start: string;
  readonly webgpuAdapter: string;
  readonly steps: number;
  readonly seconds: number;
}

/** The log of a run up to and with `steps`. @throws Error where lines are missing */
export function readStepLog(path: string, steps: number): StepLog[] {
  const lines = inFile(path, () => readText(path))
    .split("\n")
    .slice(0, steps);
  return lines.map((line, i) => {
    const log = JSON.parse(line) as StepLog;
    if (log.step !== i + 1) {
      throw new Error(`expected step ${i + 1} on line ${i + 1} of ${path}, got ${log.step} (train without --resume)`);
    }
    return log;
  });
}

/** The files that say how an adapter was made, ready to be written with it. */
export function runFiles(folder: string, facts: RunFacts): ReadonlyMap<string, string> {
  const environment = {
    obp: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    webgpuAdapter: facts.webgpuAdapter,
    model: { name: facts.gguf.name, bytes: facts.gguf.fileBytes, sha256: facts.modelHashes },
    inputs: facts.inputs,
    startAdapter: facts.start === "" ? null : facts.start,
    steps: facts.steps,
    seconds: facts.seconds,
    finished: new Date().toISOString(),
  };
  return new Map([
    [join(folder, "run", "config.json"), json(facts.config)],
    [join(folder, "run", "environment.json"), json(environment)],
  ]);
}

/** SHA-256 of each file of a model, by name. */
export async function hashModel(gguf: GgufFile): Promise<Readonly<Record<string, string>>> {
  const sources = new Set([...gguf.tensors.values()].map(({ source }) => source));
  const hashes: Record<string, string> = {};
  for (const source of sources) {
    hashes[source.name] = await hashSource(source);
  }
  return hashes;
}

async function hashSource(source: ByteSource): Promise<string> {
  const hash = createHash("sha256");
  for (let offset = 0; offset < source.size; offset += HASH_CHUNK) {
    hash.update(await source.read(offset, Math.min(HASH_CHUNK, source.size - offset)));
  }
  return hash.digest("hex");
}

function line(log: StepLog): string {
  return `${JSON.stringify(log)}\n`;
}

/** One hash of several contents, in order. */
export function hashAll(hashes: readonly string[]): string {
  return createHash("sha256").update(hashes.join("\n")).digest("hex");
}

/** SHA-256 of each file, by path; read in pieces, as a source corpus may be larger than memory. */
export async function hashFiles(paths: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const hashes: Record<string, string> = {};
  for (const path of paths) {
    // A pipe has been read already, and cannot be read again.
    if (!statSync(path).isFile()) {
      hashes[path] = "not a file";
      continue;
    }
    const source = await fileSource(path);
    hashes[path] = await hashSource(source).finally(() => source.close());
  }
  return hashes;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
