/**
 * Measures which linear kernels a device runs fastest, on a loaded model's own weights, and keeps what was found. A
 * software adapter is not measured unless asked: its order is known, and compiling costs more than a choice gains there.
 */
import { type Candidate, fastest } from "../gpu/autotune.ts";
import { BufferPool } from "../gpu/buffers.ts";
import type { KernelChoice, KernelVariant } from "../gpu/kernelChoice.ts";
import { type KernelDefinition, kernelShader } from "../gpu/kernel.ts";
import type { CommandQueue } from "../gpu/queue.ts";
import { linearForward } from "../kernels/linear.ts";
import { linearSubgroupForward } from "../kernels/linear_subgroup.ts";
import { linearTiledForward } from "../kernels/linear_tiled.ts";
import { backwardVariant, type Direction, forwardVariant, type RowClass, tuningKey, WORKS } from "./kernelFamilies.ts";
import type { QuantizedMatrix, WeightPart } from "./weights.ts";

/** Of all measurements together, milliseconds. */
const BUDGET = 3000;
/** Another order of f32 sums over a few thousand terms. */
const TOLERANCE = 1e-4;
/** Multiply-adds of one measurement at least: waiting for the device takes about a tenth of a millisecond. */
const LEAST_WORK = 1e9;
const MOST_REPEATS = 16;
const MEASURED_ROWS: Readonly<Record<RowClass, number>> = { one: 1, few: 16, many: 256 };

/** What was found on one adapter with one set of kernels; another driver or version has to measure anew. */
export interface TuningRecord {
  readonly adapter: string;
  readonly version: string;
  /** SHA-256 of the kernels' sources. */
  readonly sources: string;
  readonly choice: KernelChoice;
}

/** The record where it is of this adapter, version and these kernels; null: measure anew. */
export function fittingRecord(record: TuningRecord | null, own: Omit<TuningRecord, "choice">): TuningRecord | null {
  const fits = record?.adapter === own.adapter && record.version === own.version && record.sources === own.sources;
  return fits ? record : null;
}

/** Of all families of linear kernels. */
export async function kernelSources(): Promise<string> {
  const code = [linearForward, linearSubgroupForward, linearTiledForward].map((kernel) => kernelShader(kernel).code);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code.join("\n"))));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What is left unmeasured of a record for these matrices. */
export function isComplete({ tuned }: KernelChoice, matrices: readonly QuantizedMatrix[]): boolean {
  return [...firstParts(matrices)].every(([layout]) =>
    WORKS.every(({ direction, rowClass }) => tuningKey(direction, layout, rowClass) in tuned),
  );
}

/** Measures every layout of `matrices` in both directions and all classes of rows. */
export async function tuneKernels(
  queue: CommandQueue,
  matrices: readonly QuantizedMatrix[],
  signal?: AbortSignal,
  budget = BUDGET,
): Promise<KernelChoice> {
  const { kernels } = queue.gpu;
  const end = performance.now() + budget;
  const works = [...firstParts(matrices)].flatMap(([layout, found]) =>
    WORKS.map((work) => ({ ...work, layout, found })),
  );
  const tuned: Record<string, KernelVariant> = {};
  for (const [index, { direction, rowClass, layout, found }] of works.entries()) {
    signal?.throwIfAborted();
    const share = Math.max(0, end - performance.now()) / (works.length - index);
    const variants = variantsOf(kernels, direction, rowClass);
    const work = new Product(queue, found, direction, rowClass);
    try {
      const candidates = variants.map((variant) => work.candidate(variant));
      const { winner } = await fastest(candidates, { budget: share, rounds: 5, tolerance: TOLERANCE });
      const best = variants[winner];
      if (best !== undefined) tuned[tuningKey(direction, layout, rowClass)] = best;
    } finally {
      work.destroy();
    }
  }
  return { ...kernels, tuned: { ...kernels.tuned, ...tuned }, measuredAt: new Date().toISOString() };
}

/** What runs without tuning first. */
function variantsOf({ basic, linear }: KernelChoice, direction: Direction, rowClass: RowClass): KernelVariant[] {
  const plain = (family: "registers" | "subgroups"): KernelVariant[] =>
    [{}, { WG: 32 }, { WG: 64 }].map((constants) => ({ family, constants }));
  const basics = basic === "subgroups" ? [...plain("subgroups"), ...plain("registers")] : plain("registers");
  if (direction === "forward" && rowClass === "one") return basics;
  const tiles = rowClass === "few" ? [{ WG_X: 16, WG_Y: 2 }] : [{}, { WG_X: 8, WG_Y: 4 }];
  const tiled = tiles.map((constants): KernelVariant => ({ family: "tiled", constants }));
  return linear === "tiled" ? [...tiled, ...basics] : [...basics, ...tiled];
}

interface Found {
  readonly matrix: QuantizedMatrix;
  readonly part: WeightPart;
}

/** One part of each layout. */
function firstParts(matrices: readonly QuantizedMatrix[]): Map<Readonly<Record<string, number>>, Found> {
  const found = new Map<Readonly<Record<string, number>>, Found>();
  for (const matrix of matrices) {
    for (const part of matrix.parts) {
      if (!found.has(part.constants)) found.set(part.constants, { matrix, part });
    }
  }
  return found;
}

/** One product that all candidates compute. */
class Product {
  readonly #queue: CommandQueue;
  readonly #pool: BufferPool;
  readonly #found: Found;
  readonly #direction: Direction;
  readonly #rowClass: RowClass;
  readonly #input: GPUBuffer;
  readonly #output: GPUBuffer;

  constructor(queue: CommandQueue, found: Found, direction: Direction, rowClass: RowClass) {
    this.#queue = queue;
    this.#pool = new BufferPool(queue.gpu);
    this.#found = found;
    this.#direction = direction;
    this.#rowClass = rowClass;
    const rows = MEASURED_ROWS[rowClass];
    const [from, to] = direction === "forward" ? [found.matrix.K, found.part.Np] : [found.part.Np, found.matrix.K];
    const values = Float32Array.from({ length: rows * from }, (_, i) => ((i * 7919) % 2003) / 1001.5 - 1);
    this.#input = this.#pool.upload("tuning input", values);
    this.#output = this.#pool.storage("tuning output", rows * to * 4);
  }

  candidate(variant: KernelVariant): Candidate {
    const { matrix, part } = this.#found;
    const { words, scales } = part;
    const rows = MEASURED_ROWS[this.#rowClass];
    const params = { rows, K: matrix.K, N: part.N, Np: part.Np, n0: 0, stride: part.Np, accumulate: 0 };
    const work = rows * matrix.K * part.N;
    const queue = this.#queue;
    if (this.#direction === "forward") {
      const { kernel, constants } = forwardVariant(variant, part.constants, this.#rowClass);
      const buffers = { x: this.#input, words, scales, y: this.#output };
      return this.#of(kernel, constants, work, () => queue.dispatch(kernel, buffers, params, constants, work));
    }
    const { kernel, constants } = backwardVariant(variant, part.constants);
    const buffers = { dy: this.#input, words, scales, dx: this.#output };
    return this.#of(kernel, constants, work, () => queue.dispatch(kernel, buffers, params, constants, work));
  }

  destroy(): void {
    this.#queue.release(this.#pool);
  }

  #of(
    kernel: KernelDefinition,
    constants: Readonly<Record<string, number>>,
    work: number,
    dispatch: () => void,
  ): Candidate {
    const { gpu, pipelines } = this.#queue;
    const repeats = gpu.isSoftware ? 1 : Math.min(MOST_REPEATS, Math.max(1, Math.ceil(LEAST_WORK / work)));
    return {
      name: `${kernel.name} ${JSON.stringify(constants)}`,
      prepare: () => pipelines.prepare(kernel, constants),
      run: async () => {
        for (let i = 0; i < repeats; i++) dispatch();
        this.#queue.flush();
        await gpu.device.queue.onSubmittedWorkDone();
      },
      result: async () => new Float32Array(await this.#queue.read(this.#output)),
    };
  }
}
