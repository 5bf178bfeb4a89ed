// What --tune measured, kept in the user's cache folder for the runs that follow on the same adapter.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { version } from "../../package.json";
import type { Llama } from "../model/llama.ts";
import { fittingRecord, isComplete, kernelSources, tuneKernels, type TuningRecord } from "../model/tuneKernels.ts";
import { makeFolder, writeFileAtomic } from "./atomicFile.ts";

/** Takes the kernels of a record that fits this adapter, version and model; with `measure` makes one where none does. */
export async function useTunedKernels(llama: Llama, measure: boolean, signal: AbortSignal): Promise<void> {
  const record = readRecord();
  if (record === null && !measure) return; // as on most machines: nothing to hash the kernels' sources for
  const { queue } = llama;
  const own = { adapter: queue.gpu.adapterName, version, sources: await kernelSources() };
  const matrices = [...llama.layers.flatMap(({ linears }) => Object.values(linears)), llama.head];
  const kept = fittingRecord(record, own);
  if (kept !== null && (!measure || isComplete(kept.choice, matrices))) {
    await llama.useKernels(kept.choice);
  } else if (measure) {
    if (kept !== null) {
      await llama.useKernels(kept.choice); // layouts of other models stay
    }
    const choice = await tuneKernels(queue, matrices, signal);
    await llama.useKernels(choice);
    makeFolder(dirname(recordPath()));
    writeFileAtomic(recordPath(), `${JSON.stringify({ ...own, choice }, null, 2)}\n`);
  }
}

function recordPath(): string {
  const cache = process.env["XDG_CACHE_HOME"];
  return join(cache === undefined || cache === "" ? join(homedir(), ".cache") : cache, "obp", "kernels.json");
}

/** Null where there is none, or it is damaged: it is measured anew. */
function readRecord(): TuningRecord | null {
  try {
    return JSON.parse(readFileSync(recordPath(), "utf8")) as TuningRecord;
  } catch {
    return null;
  }
}
