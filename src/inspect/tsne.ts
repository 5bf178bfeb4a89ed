/**
 * Exact t-SNE in two dimensions on the GPU (van der Maaten & Hinton 2008), with the schedule and defaults of scikit-learn's
 * exact method: early exaggeration with momentum 0.5, then momentum 0.8 from rest; gains; learning rate "auto" (Belkina
 * et al. 2019). A vanishing gradient ends either part, and so does, in the second, that for 300 iterations the divergence
 * has not fallen (nor, here, the layout grown). Kept are the affinities, n² numbers of two bytes.
 */
import { BufferPool } from "../gpu/buffers.ts";
import type { KernelDefinition } from "../gpu/kernel.ts";
import type { CommandQueue } from "../gpu/queue.ts";
import { normalGroups, tsneDivergence, tsneForces, tsneUpdate } from "../kernels/tsne.ts";
import { tsneCalibrate, tsneDistances, tsneJoin } from "../kernels/tsne_affinities.ts";
import { checkFinite, type Vectors } from "./vectors.ts";

/** Most points: n² distances of 4 bytes are then 100 MB, within what every WebGPU device binds. */
export const MOST_POINTS = 5000;
const DEFAULT_PERPLEXITY = 30;
/** Iterations with exaggerated affinities; points are at rest again after them. */
export const EXPLORATION = 250;
export const MOMENTUM = { exploration: 0.5, after: 0.8 };
/** Iterations between two looks at the divergence, and without a lower one before it stops. */
export const CHECK_EVERY = 50;
const PATIENCE = 300;
/**
 * A gradient no longer ends exploration, which by small steps may draw points together until they would never part, or
 * all.
 */
export const LEAST_SLOPE = 1e-7;
/**
 * Of the layout, which then goes on all the same: points that exaggeration has drawn together part exponentially, but for
 * a long time by too little for the divergence to tell in f32.
 */
const GROWING = 1.01;
/** Where padding points stand: so far off that their q is 0 in f32, and apart from each other. */
const FAR = 1e15;

export interface TsneSettings {
  readonly perplexity: number;
  readonly iterations: number;
  /** "auto": n / earlyExaggeration / 4, at least 50. */
  readonly learningRate: number | "auto";
  /** Factor on the affinities for the first 250 iterations. */
  readonly earlyExaggeration: number;
}

export const TSNE_DEFAULTS: TsneSettings = {
  perplexity: DEFAULT_PERPLEXITY,
  iterations: 1000,
  learningRate: "auto",
  earlyExaggeration: 12,
};

export interface TsneState {
  /** Iterations done. */
  readonly iteration: number;
  /** (n, 2) */
  readonly positions: Float32Array;
  /** KL(P‖Q), natural logarithm, without exaggeration. */
  readonly klDivergence: number;
  /** Whether this is the last state: all iterations are done, or the divergence no longer falls. */
  readonly finished: boolean;
}

/** The perplexity that so many points allow: each needs some three times as many neighbours. */
export function fittingPerplexity(n: number): number {
  return Math.min(DEFAULT_PERPLEXITY, Math.max(1, Math.floor((n - 1) / 3)));
}

export function rateOf({ learningRate, earlyExaggeration }: TsneSettings, n: number): number {
  return learningRate === "auto" ? Math.max(n / earlyExaggeration / 4, 50) : learningRate;
}

/**
 * @param start (n, 2) where the points stand at first
 * @param every iterations between two states; the last state always comes
 * @yields states as they are reached
 * @throws Error where the vectors or settings cannot be used; the signal's reason when stopped
 */
export async function* runTsne(
  queue: CommandQueue,
  vectors: Vectors,
  start: Float32Array,
  settings: TsneSettings,
  { every = 50, signal }: { readonly every?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<TsneState> {
  checkVectors(vectors);
  checkSettings(settings, vectors.n);
  if (start.length !== 2 * vectors.n) {
    throw new Error(`expected 2 coordinates for each of ${vectors.n} points, got ${start.length} in all (report this)`);
  }
  const fit = new Fit(queue, vectors, start);
  try {
    await fit.prepare();
    await fit.makeAffinities(settings.perplexity, signal);
    const { earlyExaggeration, iterations } = settings;
    const rate = rateOf(settings, vectors.n);
    let exploring = true;
    let best = { divergence: Infinity, extent: Infinity, iteration: 0 };
    fit.rest();
    for (let done = 0, still = false; done < iterations;) {
      if (exploring && (done === EXPLORATION || still)) {
        exploring = false;
        fit.rest();
        best = { divergence: Infinity, extent: Infinity, iteration: done };
      }
      const momentum = exploring ? MOMENTUM.exploration : MOMENTUM.after;
      const checking = (done + 1) % CHECK_EVERY === 0;
      const before = checking ? await fit.steps() : null;
      fit.iterate({ exaggeration: exploring ? earlyExaggeration : 1, momentum, rate });
      done++;
      still = before !== null && slopeOf(before, await fit.steps(), momentum, rate) <= LEAST_SLOPE;
      if (checking || done % every === 0 || done === iterations) {
        signal?.throwIfAborted();
        const { positions, klDivergence } = await fit.read();
        if (!Number.isFinite(klDivergence)) {
          throw new Error(
            `expected points that stay finite, got none after ${done} iterations (choose a smaller learning rate than ${rate})`,
          );
        }
        const extent = extentOf(positions);
        if (klDivergence < best.divergence || extent > GROWING * best.extent) {
          best = { divergence: klDivergence, extent, iteration: done };
        }
        const standing = still || (checking && done - best.iteration > PATIENCE);
        const finished = done === iterations || (!exploring && standing);
        yield { iteration: done, positions, klDivergence, finished };
        if (finished) {
          return;
        }
      } else {
        await queue.pace();
      }
    }
  } finally {
    fit.destroy();
  }
}

/** Length of the gradient times its gains, from the steps (n, 2) before and after: step = momentum·before − rate·gains·g. */
function slopeOf(before: Float32Array, after: Float32Array, momentum: number, rate: number): number {
  const squares = after.reduce((sum, step, at) => sum + (momentum * (before[at] ?? NaN) - step) ** 2, 0);
  return Math.sqrt(squares) / rate;
}

/** Root mean square of the distances from the middle. */
function extentOf(positions: Float32Array): number {
  const n = positions.length / 2;
  let [x, y, squares] = [0, 0, 0];
  for (let i = 0; i < positions.length; i += 2) {
    const [a, b] = [positions[i] ?? NaN, positions[i + 1] ?? NaN];
    [x, y, squares] = [x + a / n, y + b / n, squares + (a * a + b * b) / n];
  }
  return Math.sqrt(Math.max(0, squares - x * x - y * y));
}

/** @throws Error naming the first vector that is not finite, or what else is wrong */
function checkVectors(vectors: Vectors): void {
  const { data, n, d } = vectors;
  if (n < 2) {
    throw new Error(
      `expected at least 2 points to lay out, got ${n} (give documents with more entities, or more types)`,
    );
  }
  if (n > MOST_POINTS) {
    throw new Error(`expected at most ${MOST_POINTS} points, got ${n} (draw a sample of them)`);
  }
  if (d < 1 || data.length !== n * d) {
    throw new Error(`expected ${n} vectors of ${d} numbers, got ${data.length} numbers`);
  }
  checkFinite(vectors);
}

/** @throws Error where settings cannot be used for n points */
export function checkSettings(settings: TsneSettings, n: number): void {
  const { perplexity, iterations, learningRate, earlyExaggeration } = settings;
  if (!(perplexity >= 1 && perplexity < n)) {
    throw new Error(
      `expected a perplexity from 1 to below ${n}, the number of points, got ${perplexity} (about ${fittingPerplexity(n)} fits so many)`,
    );
  }
  if (!Number.isInteger(iterations) || iterations < 1) {
    throw new Error(`expected at least one iteration, got ${iterations}`);
  }
  if (!(earlyExaggeration >= 1 && earlyExaggeration < Infinity)) {
    throw new Error(`expected an early exaggeration from 1, got ${earlyExaggeration} (12 is usual)`);
  }
  if (learningRate !== "auto" && !(learningRate > 0 && learningRate < Infinity)) {
    throw new Error(`expected a learning rate above 0, got ${learningRate} (leave it to "auto")`);
  }
}

/** Buffers and dispatches of one fit. */
class Fit {
  readonly #queue: CommandQueue;
  readonly #pool: BufferPool;
  readonly #vectors: Vectors;
  readonly #shape: { readonly n: number; readonly S: number; readonly splits: number; readonly length: number };
  readonly #groups: number;
  readonly #affinities: GPUBuffer;
  readonly #positions: GPUBuffer;
  readonly #motion: GPUBuffer;
  readonly #sums: GPUBuffer;
  readonly #normals: GPUBuffer;
  readonly #parts: GPUBuffer;

  constructor(queue: CommandQueue, vectors: Vectors, start: Float32Array) {
    const { n } = vectors;
    const S = Math.ceil(n / 4) * 4;
    const length = splitLength(S, queue.gpu.isSoftware);
    const splits = Math.ceil(S / length);
    this.#queue = queue;
    this.#vectors = vectors;
    this.#shape = { n, S, splits, length };
    this.#groups = normalGroups(S, splits, tsneForces.constants["WG"] ?? NaN);
    this.#pool = new BufferPool(queue.gpu);
    try {
      this.#affinities = this.#pool.storage("t-SNE affinities", S * S * 2);
      this.#sums = this.#pool.storage("t-SNE sums", splits * S * 16);
      this.#normals = this.#pool.storage("t-SNE normals", this.#groups * 4);
      this.#parts = this.#pool.storage("t-SNE parts", splits * S * 2);
      this.#motion = this.#pool.storage("t-SNE motion", S * 16);
      const padded = new Float32Array(2 * S);
      padded.set(start);
      for (let i = n; i < S; i++) {
        padded.fill(FAR * (1 + i - n), 2 * i, 2 * i + 2);
      }
      this.#positions = this.#pool.upload("t-SNE positions", padded);
    } catch (error) {
      this.#pool.destroy();
      throw error;
    }
  }

  async prepare(): Promise<void> {
    const kernels: readonly unknown[] = [
      ...[tsneDistances, tsneCalibrate, tsneJoin],
      ...[tsneForces, tsneUpdate, tsneDivergence],
    ];
    await Promise.all(kernels.map((kernel) => this.#queue.pipelines.prepare(kernel as KernelDefinition)));
  }

  async makeAffinities(perplexity: number, signal?: AbortSignal): Promise<void> {
    const queue = this.#queue;
    const { data, d } = this.#vectors;
    const { n, S } = this.#shape;
    const transposed = new Float32Array(d * S);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < d; k++) {
        transposed[k * S + i] = data[i * d + k] ?? NaN;
      }
    }
    const x = this.#pool.upload("t-SNE vectors", transposed);
    const matrix = this.#pool.storage("t-SNE distances", S * S * 4);
    const shared = { n, S, d, entropy: Math.log(perplexity) };
    // In slices, so that no dispatch runs long.
    const slices = async (count: number, work: number, dispatch: (first: number, size: number) => void) => {
      const size = Math.max(1, Math.min(count, Math.ceil(SLICE_WORK / work)));
      for (let first = 0; first < count; first += size) {
        signal?.throwIfAborted();
        dispatch(first, Math.min(size, count - first));
        queue.flush();
        await queue.pace();
      }
    };
    await slices(S / 4, 4 * S * d, (first, count) =>
      queue.dispatch(tsneDistances, { x, m: matrix }, { ...shared, first, count }, undefined, count * 4 * S * d),
    );
    await slices(S, S * 1000, (first, count) =>
      queue.dispatch(tsneCalibrate, { matrix }, { ...shared, first, count }, undefined, count * S * 1000),
    );
    await slices(S / 2, S * 20, (first, count) => {
      const joined = { conditional: matrix, words: this.#affinities };
      queue.dispatch(tsneJoin, joined, { ...shared, first, count }, undefined, count * S * 20);
    });
    queue.release(this.#pool, [x, matrix]);
  }

  /** No step yet, and every gain 1. */
  rest(): void {
    const still = new Float32Array(4 * this.#shape.S);
    still.forEach((_, i) => (still[i] = i % 4 < 2 ? 0 : 1));
    this.#queue.write(this.#motion, 0, still);
  }

  /** The last steps, (n, 2). */
  async steps(): Promise<Float32Array> {
    const { n } = this.#shape;
    const motion = new Float32Array(await this.#queue.read(this.#motion, 0, n * 16));
    return Float32Array.from({ length: 2 * n }, (_, at) => motion[4 * (at >> 1) + (at & 1)] ?? NaN);
  }

  iterate(phase: { readonly exaggeration: number; readonly momentum: number; readonly rate: number }): void {
    const { n, S } = this.#shape;
    const params = { ...this.#shape, ...phase, groups: this.#groups };
    const [positions, sums, normals] = [this.#positions, this.#sums, this.#normals];
    const pairs = { affinities: this.#affinities, positions, sums, normals };
    this.#queue.dispatch(tsneForces, pairs, params, undefined, 10 * S * S);
    const points = { summed: sums, normalizers: normals, points: positions, motion: this.#motion };
    this.#queue.dispatch(tsneUpdate, points, params, undefined, 20 * n);
  }

  async read(): Promise<{ positions: Float32Array; klDivergence: number }> {
    const { n, S, splits } = this.#shape;
    const params = { ...this.#shape, groups: 0, exaggeration: 1, momentum: 0, rate: 0 };
    const [affinities, positions, parts] = [this.#affinities, this.#positions, this.#parts];
    this.#queue.dispatch(tsneDivergence, { affinities, positions, parts }, params, undefined, 30 * S * S);
    const values = new Float32Array(await this.#queue.read(parts, 0, splits * S * 2));
    let [cost, total] = [0, 0];
    for (let i = 0; i < values.length; i += 2) {
      cost += values[i] ?? NaN;
      total += values[i + 1] ?? NaN;
    }
    const placed = new Float32Array(await this.#queue.read(positions, 0, n * 8));
    return { positions: placed, klDivergence: cost + Math.log(total) };
  }

  destroy(): void {
    this.#queue.release(this.#pool);
  }
}

/** Multiply-adds of one dispatch of the affinities. */
const SLICE_WORK = 3e8;

/**
 * Points of a split. A GPU wants tens of thousands of invocations, of which there is one for four points and a split; a
 * CPU wants few and long ones, but enough for all cores.
 */
function splitLength(S: number, isSoftware: boolean): number {
  const splits = isSoftware ? 4 : 32;
  return Math.max(16, Math.ceil(S / splits / 4) * 4);
}
