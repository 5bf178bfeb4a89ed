// --adapter: a PEFT folder on disk.
import { statSync } from "node:fs";
import { join } from "node:path";
import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, readPeft, writePeft, type PeftAdapter } from "../model/adapters/peft.ts";
import { inFile, readBytes, readText } from "./readFile.ts";
import type { Flag } from "./verb.ts";

export const adapterFlag = {
  kind: "text",
  value: "FOLDER",
  help: "LoRA adapter, a PEFT folder",
} as const satisfies Flag;

/** Reads an adapter; whether it fits a model is seen when it is put on one. */
export function readAdapter(folder: string): PeftAdapter {
  if (!statSync(folder).isDirectory()) {
    throw new Error(`expected a PEFT adapter's folder, got the file ${folder} (name the folder that holds it)`);
  }
  return inFile(folder, () =>
    readPeft(readText(join(folder, ADAPTER_CONFIG)), readBytes(join(folder, ADAPTER_WEIGHTS))),
  );
}

/** The files of an adapter folder, ready for writeFilesAtomic. */
export function adapterFiles(
  folder: string,
  weights: LoraWeights,
  baseModel: string,
): ReadonlyMap<string, string | Uint8Array> {
  return new Map([...writePeft(weights, baseModel)].map(([name, data]) => [join(folder, name), data]));
}
