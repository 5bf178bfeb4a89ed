// What a benchmark reports, and how memory and time are taken.
import { quantity } from "./progress.ts";

export interface BenchRow {
  readonly name: string;
  readonly seconds: number;
  /** 10⁹ floating-point operations a second; null where they are not counted. */
  readonly gflops: number | null;
  /** Share of the multiply-adds that the adapter was measured to be able to, in the same run. */
  readonly peakFraction?: number;
  /** The peer's seconds ÷ ours; null without a peer. */
  readonly ratio: number | null;
  readonly tokensPerSecond?: number;
  /** Of the file's weights, 10⁹ bytes. */
  readonly gigabytesPerSecond?: number;
  /** Of a layout, KL(P‖Q) by the CPU twin in f64, natural logarithm. */
  readonly klDivergence?: number;
  readonly peakGpuBytes: number;
  /** JavaScript's own memory: heap and array buffers. */
  readonly peakHeapBytes: number;
  /** Resident memory of the whole process; on a software adapter this holds the GPU's buffers too. */
  readonly peakProcessBytes: number;
  /** WebGPU adapter. */
  readonly adapter: string;
}

/** A kernel's time in one step, by timestamp queries. */
export interface KernelRow {
  readonly stage: string;
  readonly kernel: string;
  readonly dispatches: number;
  readonly seconds: number;
  /** Of the sum over all kernels. */
  readonly share: number;
}

const SAMPLE_MS = 20;

/** Watches JavaScript's memory while something runs. */
export class HeapWatch {
  #peak = 0;
  readonly #timer = setInterval(() => this.#sample(), SAMPLE_MS);

  /** Bytes at most since the start. */
  get peak(): number {
    this.#sample();
    return this.#peak;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const { heapUsed, external } = process.memoryUsage();
    this.#peak = Math.max(this.#peak, heapUsed + external);
  }
}

/** Bytes of resident memory the process has had at most. */
export function peakProcessBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** A table for people. */
export function rowsText(rows: readonly BenchRow[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows
    .map((row) =>
      [
        row.name.padEnd(width),
        `${row.seconds.toPrecision(3)} s`.padStart(10),
        (row.gflops === null ? "" : `${row.gflops.toFixed(1)} GFLOP/s`).padStart(15),
        (row.peakFraction === undefined ? "" : `${(100 * row.peakFraction).toFixed(0)} % of peak`).padStart(13),
        (row.ratio === null ? "" : `ratio ${row.ratio.toFixed(2)}`).padStart(11),
        row.tokensPerSecond === undefined ? "" : `${row.tokensPerSecond.toFixed(1)} tokens/s`,
        row.gigabytesPerSecond === undefined ? "" : `${row.gigabytesPerSecond.toFixed(3)} GB/s`,
        row.klDivergence === undefined ? "" : `KL ${row.klDivergence.toFixed(4)}`,
        `GPU ${quantity(row.peakGpuBytes)}B, heap ${quantity(row.peakHeapBytes)}B, process ${quantity(row.peakProcessBytes)}B`,
      ].join("  "),
    )
    .join("\n");
}

/** A table of kernels, without those that take less than a thousandth. */
export function kernelsText(kernels: readonly KernelRow[]): string {
  const shown = kernels.filter(({ share }) => share >= 0.001);
  const width = Math.max(0, ...shown.map(({ kernel }) => kernel.length));
  return shown
    .map(
      ({ stage, kernel, dispatches, seconds, share }) =>
        `${stage.padEnd(8)}${kernel.padEnd(width)}  ${`${(1000 * seconds).toFixed(1)} ms`.padStart(12)}  ${`${(100 * share).toFixed(1)} %`.padStart(7)}  ${dispatches} dispatches`,
    )
    .join("\n");
}
