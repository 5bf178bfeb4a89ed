// What a training run leaves beside its adapter: run/config.json, run/environment.json and the step log.
import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { version } from "../../package.json";
import type { ByteSource } from "../model/gguf/byteSource.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import type { TrainConfig } from "../train/config.ts";
import type { StepLog } from "../train/trainer.ts";
import { makeFolder } from "./atomicFile.ts";
import { withPath } from "./errors.ts";

const HASH_CHUNK = 16 << 20;

/** The step log, one JSON object a line; each line is with the system before the next step begins. */
export class StepLogFiles {
  readonly #paths: readonly string[];
  #descriptors: number[] = [];

  /** Opened at the first step: a run that fails before leaves earlier logs alone. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  write(log: StepLog): void {
    if (this.#descriptors.length === 0) {
      this.#descriptors = this.#paths.map((path) => {
        makeFolder(dirname(path));
        return openSync(path, "w");
      });
    }
    for (const [index, descriptor] of this.#descriptors.entries()) {
      try {
        writeSync(descriptor, `${JSON.stringify(log)}\n`);
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
  /** Files read besides the model. */
  readonly inputs: readonly string[];
  readonly webgpuAdapter: string;
  readonly steps: number;
  readonly seconds: number;
}

/** The files that say how an adapter was made, ready to be written with it. */
export function runFiles(folder: string, facts: RunFacts): ReadonlyMap<string, string> {
  const inputs = Object.fromEntries(facts.inputs.map((path) => [path, sha256(readFileSync(path))]));
  const environment = {
    obp: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    webgpuAdapter: facts.webgpuAdapter,
    model: { name: facts.gguf.name, bytes: facts.gguf.fileBytes, sha256: facts.modelHashes },
    inputs,
    steps: facts.steps,
    seconds: facts.seconds,
    finished: new Date().toISOString(),
  };
  return new Map([
    [join(folder, "run", "config.json"), json({ stage: "sft", ...facts.config })],
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

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
