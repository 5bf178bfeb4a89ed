// obp bench load: a GGUF's weights from the file to the GPU, ready to run: the first time, again, and its parts one after
// the other. When a whole model is loaded they go side by side.
import { BufferPool } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import type { GgufTensor } from "../model/gguf/header.ts";
import { packTensor, type PackedPart } from "../model/gguf/pack.ts";
import { MAX_PART_BYTES } from "../model/llama.ts";
import { type BenchRow, HeapWatch, peakProcessBytes } from "./benchRow.ts";
import { takeTurns, type TurnLimits } from "./benchTurns.ts";
import type { Context } from "./context.ts";
import { loadModel, type OpenedModel, openWithTokenizer } from "./loadModel.ts";

/** Seconds of each part, for all matrices. */
interface Parts {
  readonly read: number;
  readonly repack: number;
  readonly upload: number;
}

/** @param model a GGUF file or bundled */
export async function benchLoad(model: string, limits: TurnLimits, context: Context): Promise<BenchRow[]> {
  const gpu = await context.gpu();
  const heap = new HeapWatch();
  const rows: BenchRow[] = [];
  let gpuBytes = 0;
  /** With the seconds of opening the file, of all, and until everything was compiled. */
  const whole = async () => {
    const began = performance.now();
    const opened = await openWithTokenizer(model);
    const head = performance.now();
    performance.clearMeasures(COMPILE);
    const { llama } = await loadModel(opened, null, context);
    const all = (performance.now() - began) / 1000;
    gpuBytes = llama.gpuBytes;
    llama.destroy();
    const compiled = performance.getEntriesByName(COMPILE).at(-1)?.duration ?? NaN;
    return { opened, head: (head - began) / 1000, all, compiled: compiled / 1000 };
  };
  try {
    const first = await whole();
    const { opened } = first;
    const matrices = [...opened.gguf.tensors.values()].filter(({ shape }) => shape.length === 2);
    const bytes = matrices.reduce((sum, { byteLength }) => sum + byteLength, 0);
    // Of one round; its seconds are handed on one by one.
    let again = { ...first, head: NaN, all: NaN, compiled: NaN };
    let parts: Parts = { read: NaN, repack: NaN, upload: NaN };
    const [all, head, compiled, read, repack, upload] = await takeTurns(
      [
        async () => (again = await whole()).all,
        () => Promise.resolve(again.head),
        () => Promise.resolve(again.compiled),
        async () => (parts = await partsOf(gpu, matrices, limits.signal)).read,
        () => Promise.resolve(parts.repack),
        () => Promise.resolve(parts.upload),
      ],
      { ...limits, warmUp: false },
    );
    const add = (name: string, seconds: number | undefined, of: number | null, ratio: number | null = null): void => {
      rows.push({
        ...{ name: `${name}, ${nameOf(opened)}`, seconds: seconds ?? NaN, gflops: null, ratio },
        ...(of === null ? {} : { gigabytesPerSecond: of / 1e9 / (seconds ?? NaN) }),
        ...{ peakGpuBytes: gpuBytes, peakHeapBytes: heap.peak, peakProcessBytes: peakProcessBytes() },
        adapter: gpu.adapterName,
      });
    };
    add("file to GPU, first time", first.all, bytes);
    add("file to GPU, again", all, bytes, first.all / (all ?? NaN));
    add("head and tokenizer", head, null);
    add("reading", read, bytes);
    add("repacking", repack, bytes);
    add("upload", upload, bytes);
    add("compile beside them, first time", first.compiled, null);
    add("compile beside them, again", compiled, null);
    return rows;
  } finally {
    heap.stop();
  }
}

/** The measure that Llama.load leaves: from its start until forward and decoding were compiled. */
const COMPILE = "obp: compile";

/** Matrix by matrix, so that memory never holds the model. */
async function partsOf(gpu: Gpu, matrices: readonly GgufTensor[], signal: AbortSignal): Promise<Parts> {
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  const most = Math.min(maxStorageBufferBindingSize, maxBufferSize, MAX_PART_BYTES);
  const pool = new BufferPool(gpu);
  let [read, repack, upload] = [0, 0, 0];
  let at = performance.now();
  const lap = (): number => {
    const before = at;
    at = performance.now();
    return (at - before) / 1000;
  };
  try {
    for (const tensor of matrices) {
      signal.throwIfAborted();
      lap();
      const bytes = await tensor.source.read(tensor.offset, tensor.byteLength);
      read += lap();
      const packed: PackedPart[] = [];
      const inMemory = { ...tensor, source: bytesSource(bytes, tensor.name), offset: 0 };
      for await (const part of packTensor(inMemory, most, signal)) packed.push(part);
      repack += lap();
      for (const { words, scales } of packed) {
        pool.upload("words", words);
        pool.upload("scales", scales);
      }
      await gpu.device.queue.onSubmittedWorkDone();
      upload += lap();
    }
    return { read, repack, upload };
  } finally {
    pool.destroy();
  }
}

function nameOf({ gguf, config }: OpenedModel): string {
  return `${config.name} (${(gguf.fileBytes / 1e6).toFixed(0)} MB)`;
}
