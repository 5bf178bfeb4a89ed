// Which kernels are fastest on this adapter, as measured: kept in the user's cache folder for the runs that follow.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { version } from "../../package.json";
import type { Gpu } from "../gpu/device.ts";
import type { Llama } from "../model/llama.ts";
import { dropReplaced, productsOf, tuneKernels } from "../model/tuneKernels.ts";
import {
  fittingRecord,
  tunedChoice,
  type TuningIdentity,
  type TuningRecord,
  tuningSources,
  unmeasured,
  withMeasured,
} from "../model/tuningRecord.ts";
import { makeFolder, writeFileAtomic } from "./atomicFile.ts";
import type { Context } from "./context.ts";

interface Kept {
  readonly own: TuningIdentity;
  readonly record: TuningRecord | null;
}

/** Takes the kernels of a kept record, before a model is loaded: then only those are compiled. */
export async function takeKeptKernels(gpu: Gpu): Promise<Kept> {
  const own = { adapter: gpu.adapterIdentity, version, sources: await tuningSources(gpu) };
  const record = fittingRecord(readRecord(), own, gpu);
  if (record !== null) {
    gpu.kernels = tunedChoice(record, gpu.subgroupSize);
  }
  return { own, record };
}

/**
 * Measures what the record does not tell of this model, at first use on a GPU; with --tune all of it, on any adapter.
 * @throws InterruptedError; what was measured before it is kept
 */
export async function measureKernels(llama: Llama, { own, record }: Kept, context: Context): Promise<void> {
  const { queue } = llama;
  const { gpu } = queue;
  const all = productsOf(llama);
  const { tune } = context.kernels;
  const wanted = tune ? all : gpu.isSoftware ? [] : unmeasured(record, all);
  if (wanted.length === 0) {
    return;
  }
  const began = performance.now();
  const progress = context.progress("measuring kernels", wanted.length, "products");
  const onProgress = (done: number) => progress.update(done);
  const measured = await tuneKernels(queue, wanted, { signal: context.signal, onProgress });
  progress.finish();
  const found = withMeasured(record, own, measured);
  if (measured.length > 0) {
    const before = gpu.kernels;
    await llama.useKernels(tunedChoice(found, gpu.subgroupSize));
    dropReplaced(queue, all, before);
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const what = `measured kernels for ${measured.length} of ${wanted.length} kinds of products in ${seconds} s`;
  context.note(measured.length === 0 ? what : `${what}: ${keep(found)}`);
  context.throwIfInterrupted();
}

/** Where it is kept, or why it is not: a folder that cannot be written is no reason to end a run. */
function keep(record: TuningRecord): string {
  const path = recordPath();
  try {
    makeFolder(dirname(path));
    writeFileAtomic(path, `${JSON.stringify(record, null, 2)}\n`);
    return `kept in ${path}`;
  } catch (error) {
    return `not kept, ${error instanceof Error ? error.message : String(error)}`;
  }
}

function recordPath(): string {
  const cache = process.env["XDG_CACHE_HOME"];
  return join(cache === undefined || cache === "" ? join(homedir(), ".cache") : cache, "obp", "kernels.json");
}

/** Null where there is none, or it is damaged: it is measured anew. */
function readRecord(): unknown {
  try {
    return JSON.parse(readFileSync(recordPath(), "utf8")) as unknown;
  } catch {
    return null;
  }
}
