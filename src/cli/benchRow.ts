// What a benchmark reports, and how memory and time are taken.
import type { CommandQueue } from "../gpu/queue.ts";
import { quantity } from "./progress.ts";

export interface BenchRow {
  readonly name: string;
  readonly seconds: number;
  /** 10⁹ floating-point operations a second; null where they are not counted. */
  readonly gflops: number | null;
  /** The peer's seconds ÷ ours; null without a peer. */
  readonly ratio: number | null;
  readonly tokensPerSecond?: number;
  readonly peakGpuBytes: number;
  /** JavaScript's own memory: heap and array buffers. */
  readonly peakHeapBytes: number;
  /** Resident memory of the whole process; on a software adapter this holds the GPU's buffers too. */
  readonly peakProcessBytes: number;
  /** WebGPU adapter. */
  readonly adapter: string;
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

/** Seconds that `record`'s dispatches take: the best of several runs, after one that warms up. */
export async function bestSeconds(queue: CommandQueue, record: () => void, signal: AbortSignal): Promise<number> {
  const { queue: deviceQueue } = queue.gpu.device;
  let best = Infinity;
  let spent = 0;
  for (let run = 0; run < 10 && (run < 3 || spent < 1); run++) {
    signal.throwIfAborted();
    await deviceQueue.onSubmittedWorkDone();
    const started = performance.now();
    record();
    queue.flush();
    await deviceQueue.onSubmittedWorkDone();
    const seconds = (performance.now() - started) / 1000;
    spent += seconds;
    if (run > 0) {
      best = Math.min(best, seconds);
    }
  }
  return best;
}

/** A table for people. */
export function rowsText(rows: readonly BenchRow[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows
    .map(({ name, seconds, gflops, ratio, tokensPerSecond, peakGpuBytes, peakHeapBytes, peakProcessBytes: process }) =>
      [
        name.padEnd(width),
        `${seconds.toPrecision(3)} s`.padStart(10),
        gflops === null ? " ".repeat(14) : `${gflops.toFixed(1)} GFLOP/s`.padStart(14),
        tokensPerSecond === undefined ? "" : `${tokensPerSecond.toFixed(1)} tokens/s`,
        ratio === null ? "" : `ratio ${ratio.toFixed(3)}`,
        `GPU ${quantity(peakGpuBytes)}B, heap ${quantity(peakHeapBytes)}B, process ${quantity(process)}B`,
      ].join("  "),
    )
    .join("\n");
}
