/**
 * GPU time of every dispatch, by timestamp queries. Off by default: a queue without a profiler pays nothing. With one,
 * each dispatch is a compute pass of its own, since WebGPU takes timestamps at passes' ends only; what a driver overlaps
 * across passes it may then not overlap, so that sums come out a little above an unprofiled run.
 */
import { GPU_USAGE } from "./buffers.ts";
import type { Gpu } from "./device.ts";

/** One dispatch. Times are milliseconds on the GPU's own clock, which begins anywhere. */
export interface KernelTime {
  readonly kernel: string;
  readonly start: number;
  readonly end: number;
}

/** Most queries that WebGPU lets a set have. */
const QUERIES = 4096;
const TIMESTAMP_BYTES = 8;
/** GPUBufferUsage.QUERY_RESOLVE and GPUMapMode.READ: Node has no global of that name before Dawn is loaded. */
const QUERY_RESOLVE = 0x200;
const MAP_READ_MODE = 1;

export class Profiler {
  readonly #device: GPUDevice;
  readonly #sets: GPUQuerySet[] = [];
  readonly #kernels: string[] = [];

  private constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Null where the device has no timestamp queries. */
  static create(gpu: Gpu): Profiler | null {
    return gpu.device.features.has("timestamp-query") ? new Profiler(gpu.device) : null;
  }

  /** The next dispatch's timestamps. */
  next(kernel: string): GPUComputePassTimestampWrites {
    const first = 2 * this.#kernels.length;
    const index = Math.floor(first / QUERIES);
    this.#sets[index] ??= this.#device.createQuerySet({ type: "timestamp", count: QUERIES });
    this.#kernels.push(kernel);
    const querySet = this.#sets[index];
    return { querySet, beginningOfPassWriteIndex: first % QUERIES, endOfPassWriteIndex: (first % QUERIES) + 1 };
  }

  /** Times of all dispatches since the last call, in their order. Flush the queue first. */
  async take(): Promise<KernelTime[]> {
    const times: KernelTime[] = [];
    for (const [index, set] of this.#sets.entries()) {
      const first = (index * QUERIES) / 2;
      const kernels = this.#kernels.slice(first, first + QUERIES / 2);
      const stamps = await this.#resolve(set, 2 * kernels.length);
      kernels.forEach((kernel, i) => {
        const [start = 0n, end = 0n] = stamps.subarray(2 * i, 2 * i + 2);
        times.push({ kernel, start: Number(start) / 1e6, end: Number(end) / 1e6 });
      });
      set.destroy();
    }
    this.#sets.length = 0;
    this.#kernels.length = 0;
    return times;
  }

  async #resolve(set: GPUQuerySet, count: number): Promise<BigUint64Array> {
    const size = count * TIMESTAMP_BYTES;
    const resolved = this.#device.createBuffer({ size, usage: QUERY_RESOLVE | GPU_USAGE.COPY_SRC });
    const mapped = this.#device.createBuffer({ size, usage: GPU_USAGE.COPY_DST | GPU_USAGE.MAP_READ });
    const encoder = this.#device.createCommandEncoder();
    encoder.resolveQuerySet(set, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, mapped, 0, size);
    this.#device.queue.submit([encoder.finish()]);
    await mapped.mapAsync(MAP_READ_MODE);
    const stamps = new BigUint64Array(mapped.getMappedRange().slice(0));
    resolved.destroy();
    mapped.destroy();
    return stamps;
  }
}

export interface KernelTotal {
  readonly kernel: string;
  readonly dispatches: number;
  readonly milliseconds: number;
}

/** Sums by kernel, the longest first. */
export function kernelTotals(times: readonly KernelTime[]): KernelTotal[] {
  const totals = new Map<string, { dispatches: number; milliseconds: number }>();
  for (const { kernel, start, end } of times) {
    const total = totals.get(kernel) ?? { dispatches: 0, milliseconds: 0 };
    totals.set(kernel, { dispatches: total.dispatches + 1, milliseconds: total.milliseconds + end - start });
  }
  return [...totals]
    .map(([kernel, total]) => ({ kernel, ...total }))
    .toSorted((a, b) => b.milliseconds - a.milliseconds);
}
