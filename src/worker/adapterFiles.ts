// Adapters in and out, as PEFT's two files, alone or in a zip.

import { strToU8, unzipSync, zipSync } from "fflate";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, AdapterError, readPeft } from "../model/adapters/peft.ts";
import { readAdapter, saveAdapter } from "../storage/adapterStore.ts";
import type { AdapterRecord } from "../storage/database.ts";
import { listRuns } from "../storage/runStore.ts";
import { runFiles } from "./runFiles.ts";

type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** A zip with the two files, as Hugging Face hubs hold them, and with run/ where the run that made them is still kept. */
export async function exportAdapter(id: string): Promise<{ fileName: string; bytes: Uint8Array<ArrayBuffer> }> {
  const { record, weights } = await readAdapter(id);
  const run = (await listRuns()).find((one) => one.id === id);
  const made = [...(run === undefined ? [] : runFiles(run))].map(([path, text]) => [path, strToU8(text)] as const);
  const files = { [ADAPTER_CONFIG]: strToU8(record.configJson), [ADAPTER_WEIGHTS]: weights };
  // Weights do not compress: stored as they are.
  const bytes = zipSync({ ...files, ...Object.fromEntries(made) }, { level: 0 });
  return { fileName: `${record.name.replace(/[^\p{L}\p{N}._-]+/gu, "-")}.zip`, bytes: new Uint8Array(bytes) };
}

/** Takes the two files, a zip with them in it, or a folder's files. @throws where they are not a sound adapter. */
export async function importAdapter(files: readonly File[]): Promise<AdapterRecord> {
  const found = await collect(files);
  const config = found.get(ADAPTER_CONFIG);
  const weights = found.get(ADAPTER_WEIGHTS);
  if (config === undefined || weights === undefined) {
    const names = files.map(({ name }) => name).join(", ");
    throw new AdapterError(
      `expected ${ADAPTER_CONFIG} and ${ADAPTER_WEIGHTS} (or a zip with both), got ${names === "" ? "no file" : names}`,
    );
  }
  const configJson = new TextDecoder().decode(config);
  const { weights: parsed, baseModel } = readPeft(configJson, weights);
  const { rank, alpha, targets } = parsed.config;
  return saveAdapter(
    {
      id: crypto.randomUUID(),
      name: adapterName(files),
      model: null,
      modelName: baseModel ?? "unknown model",
      createdAt: Date.now(),
      configJson,
      ...{ rank, alpha, targets },
      training: null,
    },
    weights,
  );
}

async function collect(files: readonly File[]): Promise<Files> {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  const isWanted = (path: string): boolean => [ADAPTER_CONFIG, ADAPTER_WEIGHTS].includes(baseName(path));
  for (const file of files) {
    const isZip = file.name.toLowerCase().endsWith(".zip");
    if (!isZip && !isWanted(file.name)) continue;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const entries = isZip ? Object.entries(unzip(bytes, file.name, isWanted)) : [[file.name, bytes] as const];
    for (const [path, content] of entries) found.set(baseName(path), new Uint8Array(content));
  }
  return found;
}

function unzip(bytes: Uint8Array, name: string, isWanted: (path: string) => boolean): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, { filter: (entry) => isWanted(entry.name) });
  } catch (error) {
    throw new AdapterError(`expected a zip file, got ${name}, which cannot be unpacked`, { cause: error });
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function adapterName(files: readonly File[]): string {
  const [first] = files;
  const folder = first?.webkitRelativePath.split("/").at(-2);
  return folder ?? (first?.name.toLowerCase().endsWith(".zip") === true ? first.name.slice(0, -4) : "imported adapter");
}
