// How the adapters that --adapter names were made, as run/ beside each says, and how they differ.
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ADAPTER_WEIGHTS } from "../model/adapters/peft.ts";
import { type ComparedState, type Comparison, compareStates } from "../train/compareRuns.ts";
import { recordedRun } from "../train/recordedRun.ts";
import { errorLine } from "./errors.ts";
import type { NamedAdapter } from "./figure.ts";
import { readText } from "./readFile.ts";
import { hashAll, hashFiles } from "./trainRun.ts";

/** @param note hears of a run/ that cannot be read: the figure says then that nothing is recorded */
export async function compareAdapters(
  adapters: readonly NamedAdapter[],
  note: (line: string) => void,
): Promise<Comparison | null> {
  if (adapters.length < 2) return null;
  const names = new Map<string, string>();
  for (const { name, folder } of adapters) {
    if (folder !== null) names.set(await weightsHash(folder), name);
  }
  return compareStates(
    adapters.map(({ name, folder }): ComparedState => {
      return { name, made: folder === null ? "base" : madeOf(folder, (hash) => names.get(hash), note) };
    }),
  );
}

/** As obp train hashes the adapter that it begins with. */
async function weightsHash(folder: string): Promise<string> {
  return hashAll(Object.values(await hashFiles([join(folder, ADAPTER_WEIGHTS)])));
}

function madeOf(
  folder: string,
  nameOf: (hash: string) => string | undefined,
  note: (line: string) => void,
): ComparedState["made"] {
  const run = runFolder(folder);
  if (run === null) return "unknown";
  try {
    const environment = join(run, "environment.json");
    const text = existsSync(environment) ? readText(environment) : null;
    return recordedRun(readText(join(run, "config.json")), text, resolve(run), nameOf);
  } catch (error) {
    note(`${run} is left aside: ${errorLine(error)}`);
    return "unknown";
  }
}

/** The run/ of an adapter; that of run/best and run/last is around them. */
function runFolder(folder: string): string | null {
  const parent = dirname(resolve(folder));
  const candidates = [join(folder, "run"), ...(basename(parent) === "run" ? [parent] : [])];
  return candidates.find((path) => existsSync(join(path, "config.json"))) ?? null;
}
