// Adapters in and out, as PEFT's two files, alone or in a zip.

import { strToU8, unzipSync, zipSync } from "fflate";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, AdapterError, readPeft } from "../model/adapters/peft.ts";
import { readAdapter, readLastWeights, saveAdapter } from "../storage/adapterStore.ts";
import type { AdapterRecord, RunRecord } from "../storage/database.ts";
import { listRuns } from "../storage/runStore.ts";
import { runFiles } from "./runFiles.ts";

type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** A zip with the two files, as Hugging Face hubs hold them, and with run/ where the run that made them is still kept. */
export async function exportAdapter(id: string): Promise<{ fileName: string; bytes: Uint8Array<ArrayBuffer> }> {
  const { record, weights } = await readAdapter(id);
  const run = (await listRuns()).find((one) => one.id === id);
  const files = exportedFiles(record, weights, await readLastWeights(record), run);
  // Weights do not compress: stored as they are.
  const bytes = zipSync(Object.fromEntries(files), { level: 0 });
  return { fileName: `${record.name.replace(/[^\p{L}\p{N}._-]+/gu, "-")}.zip`, bytes: new Uint8Array(bytes) };
}

/**
 * By path, as obp train leaves them (src/cli/train.ts): the adapter in use, and in run/ how it was made, the adapter
 * after the last step, and the best one where any was scored.
 * @param last null where `weights` are those after the last step
 * @param run undefined where it was deleted, or the adapter was imported
 */
export function exportedFiles(
  { configJson, imported }: Pick<AdapterRecord, "configJson" | "imported">,
  weights: Uint8Array,
  last: Uint8Array | null,
  run: RunRecord | undefined,
): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const addAdapter = (folder: string, content: Uint8Array): void => {
    files.set(folder + ADAPTER_CONFIG, strToU8(configJson)).set(folder + ADAPTER_WEIGHTS, content);
  };
  addAdapter("", weights);
  for (const [path, text] of run === undefined ? importedRun(imported) : runFiles(run)) files.set(path, strToU8(text));
  const isScored = last !== null || (run !== undefined && run.scores.length > 0);
  if (isScored) addAdapter("run/best/", weights);
  if (isScored || run !== undefined) addAdapter("run/last/", last ?? weights);
  return files;
}

/** What came with an import goes with it again. */
function importedRun(imported: AdapterRecord["imported"]): (readonly [path: string, text: string])[] {
  if (imported === undefined) return [];
  const { config, environment } = imported;
  return [[RUN_CONFIG, config], ...(environment === null ? [] : [[RUN_ENVIRONMENT, environment] as const])];
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
  const run = await collectRun(files);
  return saveAdapter(
    {
      id: crypto.randomUUID(),
      name: adapterName(files),
      model: null,
      modelName: baseModel ?? "unknown model",
      createdAt: Date.now(),
      configJson,
      ...{ rank, alpha, targets },
      ...(run === null ? {} : { imported: run }),
      training: null,
    },
    weights,
  );
}

/** An adapter's two files by name, as far as they are there. */
export async function collect(files: readonly File[]): Promise<Files> {
  const found: (readonly [path: string, content: Uint8Array<ArrayBuffer>])[] = [];
  const isWanted = (path: string): boolean => [ADAPTER_CONFIG, ADAPTER_WEIGHTS].includes(baseName(path));
  for (const file of files) {
    const isZip = file.name.toLowerCase().endsWith(".zip");
    if (!isZip && !isWanted(file.name)) continue;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const entries = isZip
      ? Object.entries(unzip(bytes, file.name, isWanted))
      : [[file.webkitRelativePath || file.name, bytes] as const];
    for (const [path, content] of entries) found.push([path, new Uint8Array(content)]);
  }
  // The outermost count: run/ may hold others of the same run.
  found.sort(([a], [b]) => depth(b) - depth(a));
  return new Map(found.map(([path, content]) => [baseName(path), content]));
}

const RUN_CONFIG = "run/config.json";
const RUN_ENVIRONMENT = "run/environment.json";

/** How it was made, in a zip or a folder that obp train or the studio left; null where that is not with it. */
export async function collectRun(files: readonly File[]): Promise<NonNullable<AdapterRecord["imported"]> | null> {
  const isWanted = (path: string): boolean =>
    [RUN_CONFIG, RUN_ENVIRONMENT].some((name) => `/${path}`.endsWith(`/${name}`));
  const found = new Map<string, string>();
  for (const file of files) {
    const path = file.webkitRelativePath || file.name;
    if (file.name.toLowerCase().endsWith(".zip")) {
      const entries = unzip(new Uint8Array(await file.arrayBuffer()), file.name, isWanted);
      for (const [inside, content] of Object.entries(entries)) found.set(inside, new TextDecoder().decode(content));
    } else if (isWanted(path)) {
      found.set(path, await file.text());
    }
  }
  const outermost = (name: string): string | null =>
    [...found].filter(([path]) => path.endsWith(name)).sort(([a], [b]) => depth(a) - depth(b))[0]?.[1] ?? null;
  const config = outermost(RUN_CONFIG);
  return config === null ? null : { config, environment: outermost(RUN_ENVIRONMENT) };
}

function depth(path: string): number {
  return path.split("/").length;
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
