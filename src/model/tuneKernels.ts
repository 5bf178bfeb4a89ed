/**
 * Measures which linear kernels a device runs fastest, on a loaded model's own weights. A software adapter is not measured
 * unless asked: its order is known, and compiling costs more than a choice gains there.
 */
import { type Candidate, fastest } from "../gpu/autotune.ts";
import { BufferPool } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import type { KernelChoice, KernelVariant } from "../gpu/kernelChoice.ts";
import type { KernelDefinition } from "../gpu/kernel.ts";
import type { CommandQueue } from "../gpu/queue.ts";
import { backwardVariant, forwardVariant, layoutName, linearKernels, type RowClass } from "./kernelFamilies.ts";
import type { Llama } from "./llama.ts";
import { type MeasuredProduct, type ModelProduct, modelProducts, variantsOf } from "./tuningRecord.ts";

/**
 * All measurements together, compiling included, milliseconds. A GPU's stay under 3 s: past these nothing begins, and what
 * has begun is two runs of one product, at most 1.7e10 multiply-adds each. A software adapter compiles a kernel for
 * seconds, and is measured where a user asks and waits.
 */
const BUDGET = { gpu: 2500, software: 300_000 };
/** Compiling a product's kernels takes at most this share of the time that is left, so that others get their turn. */
const COMPILING = 0.5;
const ROUNDS = 5;
/** Another order of f32 sums over a few thousand terms. */
const TOLERANCE = 1e-4;
const MEASURED_ROWS: Readonly<Record<RowClass, number>> = { one: 1, few: 16, many: 256 };
/** Multiply-adds of a product at most: an output head is measured on fewer rows, which it runs with anyway. */
const MOST_WORK = { gpu: 1.7e10, software: 1e8 };
/** Of many rows; more than a few. */
const LEAST_MANY = { gpu: 64, software: 40 };
/** Values of each row that are compared. */
const COMPARED = 256;

type Constants = Readonly<Record<string, number>>;

export interface TuningOptions {
  /** Stops; what was measured until then is kept. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly budget?: number;
  /** Hears products done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** All products of a model's linear layers; its head is one. */
export function productsOf({ layers, head }: Pick<Llama, "layers" | "head">): ModelProduct[] {
  return modelProducts([...layers.flatMap(({ linears }) => Object.values(linears)), head]);
}

/**
 * Measures one product after another, in their order. What time does not suffice for is left out, to be measured another
 * time. Pipelines that lost are dropped, but for those that the device runs now.
 * @throws Error where what runs now does not
 */
export async function tuneKernels(
  queue: CommandQueue,
  products: readonly ModelProduct[],
  { signal, budget, onProgress }: TuningOptions = {},
): Promise<MeasuredProduct[]> {
  const { gpu } = queue;
  const end = performance.now() + (budget ?? BUDGET[kindOf(gpu)]);
  const trials = products.map((product) => new ProductTrial(queue, product));
  const measured: MeasuredProduct[] = [];
  try {
    for (const [index, trial] of trials.entries()) {
      if (signal?.aborted === true || performance.now() > end) break;
      onProgress?.(index, trials.length);
      // The next one's kernels compile while this one's run; not where both are the processor's.
      if (!gpu.isSoftware) trials[index + 1]?.compileAhead();
      // What a software adapter compiles late, in a kernel's first run, is the longest part there.
      const measuring = gpu.isSoftware ? COMPILING : 1 / (trials.length - index);
      const limits = { end, measuring, compiling: COMPILING, rounds: ROUNDS, tolerance: TOLERANCE, signal };
      const found = await trial.measure(limits);
      if (found !== null) measured.push(found);
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  } finally {
    dropLosers(queue, products, trials);
  }
  return measured;
}

/** One product's loser may be another's winner. */
function dropLosers(queue: CommandQueue, products: readonly ModelProduct[], trials: readonly ProductTrial[]): void {
  const kept = new Set(pipelinesOf(queue.gpu.kernels, products).keys());
  for (const { winner } of trials) if (winner !== undefined) kept.add(pipelineName(winner));
  for (const each of trials.flatMap(({ begun }) => begun)) {
    if (!kept.has(pipelineName(each))) queue.pipelines.drop(each.kernel, each.constants);
  }
}

/** Drops the pipelines of a choice that another one has taken the place of. */
export function dropReplaced(queue: CommandQueue, products: readonly ModelProduct[], before: KernelChoice): void {
  const running = pipelinesOf(queue.gpu.kernels, products);
  for (const [key, { kernel, constants }] of pipelinesOf(before, products)) {
    if (!running.has(key)) queue.pipelines.drop(kernel, constants);
  }
}

interface Chosen {
  readonly kernel: KernelDefinition;
  readonly constants: Constants;
}

function pipelinesOf(kernels: KernelChoice, products: readonly ModelProduct[]): Map<string, Chosen> {
  const chosen = products.flatMap(({ layout, direction }) => linearKernels({ kernels }, [direction], layout));
  return new Map(chosen.map((each) => [pipelineName(each as Chosen), each as Chosen]));
}

function pipelineName({ kernel, constants }: Chosen): string {
  return `${kernel.name} ${JSON.stringify(constants)}`;
}

/** One product, which all its candidates compute. */
class ProductTrial {
  readonly #queue: CommandQueue;
  readonly #product: ModelProduct;
  readonly #rows: number;
  readonly #variants: readonly KernelVariant[];
  readonly #chosen: readonly Chosen[];
  #begun = false;
  winner: Chosen | undefined;

  constructor(queue: CommandQueue, product: ModelProduct) {
    const { direction, rowClass, layout, K, part } = product;
    this.#queue = queue;
    this.#product = product;
    this.#rows = rowsOf(rowClass, K * part.Np, kindOf(queue.gpu));
    this.#variants = variantsOf(queue.gpu, product);
    this.#chosen = this.#variants.map((variant) =>
      direction === "forward" ? forwardVariant(variant, layout, rowClass) : backwardVariant(variant, layout),
    );
  }

  /** What it has had compiled. */
  get begun(): readonly Chosen[] {
    return this.#begun ? this.#chosen : [];
  }

  compileAhead(): void {
    this.#begun = true;
    for (const { kernel, constants } of this.#chosen) {
      this.#queue.pipelines.prepare(kernel, constants).catch(() => undefined); // measure() hears of it
    }
  }

  /** Null where time ran out first. */
  async measure(limits: Parameters<typeof fastest>[1]): Promise<MeasuredProduct | null> {
    const { direction, rowClass, layout, K, part } = this.#product;
    this.#begun = true;
    const pool = new BufferPool(this.#queue.gpu);
    try {
      const [from, to] = direction === "forward" ? [K, part.Np] : [part.Np, K];
      const input = pool.upload("tuning input", patterned(this.#rows * from));
      const output = pool.storage("tuning output", this.#rows * to * 4);
      const sample = pool.storage("tuning sample", this.#rows * Math.min(COMPARED, to) * 4);
      const buffers = direction === "forward" ? { x: input, y: output } : { dy: input, dx: output };
      const candidates = this.#chosen.map((chosen) => this.#candidate(chosen, buffers, { output, sample, to }));
      const { winner, milliseconds } = await fastest(candidates, limits);
      if (winner === null) return null;
      this.winner = this.#chosen[winner];
      return {
        ...{ direction, rowClass, layout: layoutName(layout), rows: this.#rows, K, N: part.N },
        candidates: this.#variants.map(({ family, constants }, index) => ({
          ...{ family, constants: { ...constants } },
          milliseconds: milliseconds[index] ?? null,
        })),
      };
    } finally {
      this.#queue.release(pool);
    }
  }

  #candidate(
    { kernel, constants }: Chosen,
    buffers: Readonly<Record<string, GPUBuffer>>,
    { output, sample, to }: { output: GPUBuffer; sample: GPUBuffer; to: number },
  ): Candidate {
    const queue = this.#queue;
    const { K, part } = this.#product;
    const { words, scales, N, Np } = part;
    const rows = this.#rows;
    const params = { rows, K, N, Np, n0: 0, stride: Np, accumulate: 0 };
    const all = { ...buffers, words, scales };
    return {
      name: pipelineName({ kernel, constants }),
      prepare: () => queue.pipelines.prepare(kernel, constants),
      run: async (times) => {
        for (let i = 0; i < times; i++) queue.dispatch(kernel, all, params, constants, rows * K * N);
        queue.flush();
        await queue.gpu.device.queue.onSubmittedWorkDone();
      },
      // Of every row a stretch, each further along than that of the row before, so that all places of a tile are looked
      // at: whole results of a large model would take longer to compare than to compute.
      result: async () => {
        const count = Math.min(COMPARED, to);
        for (let row = 0; row < rows; row++) {
          const from = Math.min(to - count, (row * count) % to);
          queue.copy(output, (row * to + from) * 4, sample, row * count * 4, count * 4);
        }
        return new Float32Array(await queue.read(sample));
      },
    };
  }
}

function kindOf({ isSoftware }: Pick<Gpu, "isSoftware">): "gpu" | "software" {
  return isSoftware ? "software" : "gpu";
}

function rowsOf(rowClass: RowClass, weights: number, kind: "gpu" | "software"): number {
  const rows = MEASURED_ROWS[rowClass];
  if (rowClass !== "many") return rows;
  return Math.max(LEAST_MANY[kind], Math.min(rows, Math.floor(MOST_WORK[kind] / weights / 8) * 8));
}

/** Values from −1 to 1. */
function patterned(length: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = ((i * 7919) % 2003) / 1001.5 - 1;
  return values;
}
