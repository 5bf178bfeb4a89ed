// The adapter's own peak of fused multiply-adds, measured in the run whose figures are held against it.
import { BufferPool } from "../gpu/buffers.ts";
import { CommandQueue } from "../gpu/queue.ts";
import type { Gpu } from "../gpu/device.ts";
import { FMA_STEP_FLOPS, FMA_STEPS_UNROLLED, fmaPeak } from "../kernels/fma_peak.ts";

/** More chains hide more latency, until they no longer fit an adapter's registers: the best count is measured. */
const CHAINS = [1, 2, 3, 4, 6, 8];
/** Aimed length of one measurement; a GPU's clock needs a while to rise. */
const TARGET_SECONDS = 0.05;
const FIRST_STEPS = 64 * FMA_STEPS_UNROLLED;
const WG = 64;

export class FmaPeak {
  readonly #queue: CommandQueue;
  readonly #pool: BufferPool;
  readonly #sums: GPUBuffer;
  readonly #count: number;
  #chains = 1;
  #steps = FIRST_STEPS;

  private constructor(gpu: Gpu) {
    this.#queue = new CommandQueue(gpu);
    this.#pool = new BufferPool(gpu);
    this.#count = WG * (gpu.isSoftware ? 64 : 4096); // a GPU has thousands of lanes to fill
    this.#sums = this.#pool.storage("fma sums", this.#count * 16);
  }

  /** Finds the fastest number of chains. */
  static async create(gpu: Gpu): Promise<FmaPeak> {
    const peak = new FmaPeak(gpu);
    let best = { flops: 0, chains: 1 };
    for (const chains of CHAINS) {
      peak.#chains = chains;
      await peak.#queue.pipelines.prepare(fmaPeak, { CHAINS: chains, WG });
      await peak.#run(FIRST_STEPS);
      peak.#steps = peak.#stepsFor(await peak.#run(FIRST_STEPS));
      const flops = Math.max(await peak.measure(), await peak.measure());
      best = flops > best.flops ? { flops, chains } : best;
    }
    peak.#chains = best.chains;
    peak.#steps = peak.#stepsFor(peak.#flops(FIRST_STEPS) / best.flops);
    return peak;
  }

  get chains(): number {
    return this.#chains;
  }

  /** One measurement. @returns floating-point operations a second, a multiply-add being two */
  async measure(): Promise<number> {
    return this.#flops(this.#steps) / (await this.#run(this.#steps));
  }

  destroy(): void {
    this.#pool.destroy();
    this.#queue.destroy();
  }

  #stepsFor(firstSeconds: number): number {
    const steps = (FIRST_STEPS * TARGET_SECONDS) / firstSeconds;
    return FMA_STEPS_UNROLLED * Math.max(1, Math.round(steps / FMA_STEPS_UNROLLED));
  }

  #flops(steps: number): number {
    return FMA_STEP_FLOPS * this.#count * this.#chains * steps;
  }

  /** Seconds. */
  async #run(steps: number): Promise<number> {
    const { queue } = this.#queue.gpu.device;
    await queue.onSubmittedWorkDone();
    const started = performance.now();
    const params = { count: this.#count, steps, c: 0.7 };
    this.#queue.dispatch(fmaPeak, { sums: this.#sums }, params, { CHAINS: this.#chains, WG });
    this.#queue.flush();
    await queue.onSubmittedWorkDone();
    return (performance.now() - started) / 1000;
  }
}
