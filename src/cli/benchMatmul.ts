// obp bench matmul: the quantized linear kernels, both directions, every layout, on the linears of known models, held
// against the adapter's own fma peak and against a peer's f32 matmul. Works of one shape take turns.
import { BufferPool } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import { expectClose } from "../gpu/expectClose.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { randomWords } from "../kernels/random_weights.ts";
import { LAYOUT_OF, scaleKind, unpackPart } from "../model/gguf/pack.ts";
import type { GgmlType } from "../model/gguf/types.ts";
import { linearKernels } from "../model/kernelFamilies.ts";
import { backwardLinear, forwardLinear } from "../model/linear.ts";
import { linearShape } from "../model/linearShape.ts";
import { randomMatrix } from "../model/randomModel.ts";
import type { QuantizedMatrix } from "../model/weights.ts";
import type { FmaPeak } from "./benchPeak.ts";
import { HeapWatch, peakProcessBytes, type BenchRow } from "./benchRow.ts";
import type { MatmulCase } from "./benchShapes.ts";
import { takeTurns, type TurnLimits } from "./benchTurns.ts";
import type { JaxPeer, PeerProduct } from "./peerJax.ts";

/** GGUF types that the kernels read each in its own way (shaders/shared/weights.wgsl). */
export const MATMUL_LAYOUTS = ["Q4_0", "Q4_1", "Q4_K", "Q6_K", "Q8_0", "F32"] as const satisfies readonly GgmlType[];
export type MatmulLayout = (typeof MATMUL_LAYOUTS)[number];

/** A peer is asked for products of so many rows or more: below it is not made for them. */
const PEER_ROWS = 128;
/** Operations of one measurement at least: small products run several times in it, or waiting is what is measured. */
const LEAST_FLOPS = { software: 3e8, gpu: 2e11 };
const MOST_TIMES = 32;
/** What is compared with the peer before anything is timed. */
const CHECKED = "Q4_0";
/** Sums of products in f32 whose order differs. */
const AGREEMENT = 1e-4;

export interface MatmulOptions extends TurnLimits {
  readonly cases: readonly MatmulCase[];
  readonly layouts: readonly MatmulLayout[];
  readonly peer: JaxPeer | null;
  readonly peak: FmaPeak;
  /** Hears cases done. */
  readonly onProgress: (done: number) => void;
}

interface Product {
  readonly name: string;
  readonly layout: MatmulLayout | null;
  /** So many times; waits for all. */
  readonly run: (times: number) => Promise<void>;
}

/** Rows of both directions of each case and layout, and of the peer. */
export async function benchMatmul(gpu: Gpu, options: MatmulOptions): Promise<BenchRow[]> {
  const bench = new MatmulBench(gpu, options);
  try {
    if (options.peer !== null) {
      await bench.checkPeer(options.peer);
    }
    const rows: BenchRow[] = [];
    for (const [index, each] of options.cases.entries()) {
      rows.push(...(await bench.rowsOf(each)));
      options.onProgress(index + 1);
    }
    return rows;
  } finally {
    bench.destroy();
  }
}

class MatmulBench {
  readonly #gpu: Gpu;
  readonly #options: MatmulOptions;
  readonly #queue: CommandQueue;
  readonly #heap = new HeapWatch();

  constructor(gpu: Gpu, options: MatmulOptions) {
    this.#gpu = gpu;
    this.#options = options;
    this.#queue = new CommandQueue(gpu);
  }

  destroy(): void {
    this.#heap.stop();
    this.#queue.destroy();
  }

  async rowsOf({ shape, linear, target, rows }: MatmulCase): Promise<BenchRow[]> {
    const { layouts, peer, peak } = this.#options;
    const [N, K] = linearShape(shape, target);
    const pool = new BufferPool(this.#gpu);
    const withPeer = peer !== null && rows >= PEER_ROWS ? await peerProduct(peer, rows, N, K) : null;
    const found: BenchRow[] = [];
    try {
      const [x, y] = [await this.#random(pool, "x", rows * K), await this.#random(pool, "y", rows * N)];
      const matrices: (readonly [MatmulLayout, QuantizedMatrix])[] = [];
      for (const layout of layouts) {
        if (fits(layout, K)) {
          matrices.push([layout, await this.#matrix(pool, layout, N, K)]);
        }
      }
      for (const direction of ["forward", "backward"] as const) {
        const products: Product[] = matrices.map(([layout, matrix]) => ({
          name: `${direction} ${linear} (${layout}) ${rows}×${K}→${N}, ${shape.name}`,
          layout,
          run: (times) => this.#run(direction, matrix, x, rows, y, times),
        }));
        if (withPeer !== null && peer !== null) {
          const name = `${direction} ${linear} (${peer.name} f32) ${rows}×${K}→${N}, ${shape.name}`;
          products.push({ name, layout: null, run: (times) => withPeer[direction](times) });
        }
        const flops = 2 * rows * N * K;
        const times = Math.min(MOST_TIMES, Math.ceil(LEAST_FLOPS[this.#gpu.isSoftware ? "software" : "gpu"] / flops));
        const works = products.map(
          ({ run }) =>
            () =>
              secondsOf(run, times),
        );
        const medians = await takeTurns([() => peak.measure(), ...works], this.#options);
        const [peakFlops = NaN, ...seconds] = medians;
        const peerSeconds = withPeer === null ? null : (seconds.at(-1) ?? NaN);
        products.forEach(({ name, layout }, i) => {
          const taken = seconds[i] ?? NaN;
          found.push({
            ...{ name, seconds: taken, gflops: flops / taken / 1e9, peakFraction: flops / taken / peakFlops },
            ratio: peerSeconds === null || layout === null ? null : peerSeconds / taken,
            ...{ peakGpuBytes: pool.bytes, peakHeapBytes: this.#heap.peak, peakProcessBytes: peakProcessBytes() },
            adapter: this.#gpu.adapterName,
          });
        });
      }
    } finally {
      withPeer?.destroy();
      this.#queue.release(pool);
    }
    return found;
  }

  /** One product of each direction with the same weights, ours and the peer's. @throws Error where they differ */
  async checkPeer(peer: JaxPeer): Promise<void> {
    const [rows, N, K] = [PEER_ROWS, 192, 576];
    const pool = new BufferPool(this.#gpu);
    try {
      const [x, y] = [await this.#random(pool, "x", rows * K), await this.#random(pool, "dy", rows * N)];
      const matrix = await this.#matrix(pool, CHECKED, N, K);
      const read = async (buffer: GPUBuffer) => new Float32Array(await this.#queue.read(buffer));
      const w = await this.#weights(matrix);
      const product = await peer.product({ rows, N, K, x: await read(x), dy: await read(y), w });
      for (const [direction, shape] of [
        ["backward", [rows, K]],
        ["forward", [rows, N]],
      ] as const) {
        const theirs = await product.values(direction);
        const [from, into] = direction === "forward" ? [x, y] : [await this.#copyOf(pool, x), y];
        await this.#run(direction, matrix, from, rows, into);
        const label = `${peer.name} against ours, ${direction}`;
        expectClose(await read(direction === "forward" ? y : from), theirs, { label, shape, tolerance: AGREEMENT });
      }
      product.destroy();
    } finally {
      this.#queue.release(pool);
    }
  }

  async #run(
    direction: "forward" | "backward",
    matrix: QuantizedMatrix,
    x: GPUBuffer,
    rows: number,
    y: GPUBuffer,
    times = 1,
  ): Promise<void> {
    for (let i = 0; i < times; i++) {
      if (direction === "forward") {
        forwardLinear(this.#queue, matrix, x, rows, y);
      } else {
        backwardLinear(this.#queue, matrix, y, rows, x, false);
      }
    }
    this.#queue.flush();
    await this.#gpu.device.queue.onSubmittedWorkDone();
  }

  async #matrix(pool: BufferPool, layout: MatmulLayout, N: number, K: number): Promise<QuantizedMatrix> {
    const tensor = { name: layout, type: layout, shape: [N, K] as const };
    const matrix = await randomMatrix(this.#queue, pool, tensor, 1);
    for (const { constants: layout } of matrix.parts) {
      for (const { kernel, constants } of linearKernels(this.#gpu, ["forward", "backward"], layout)) {
        await this.#queue.pipelines.prepare(kernel, constants);
      }
    }
    return matrix;
  }

  /** f32 of about N(0, 0.02²). */
  async #random(pool: BufferPool, label: string, count: number): Promise<GPUBuffer> {
    const words = pool.storage(label, count * 4);
    await this.#queue.pipelines.prepare(randomWords, { LAYOUT: 3 });
    this.#queue.dispatch(randomWords, { words }, { count, N: 1, Np: 1, K: 1, seed: label.length }, { LAYOUT: 3 });
    return words;
  }

  async #copyOf(pool: BufferPool, buffer: GPUBuffer): Promise<GPUBuffer> {
    const copy = pool.storage("copy", buffer.size);
    this.#queue.copy(buffer, 0, copy, 0, buffer.size);
    await this.#gpu.device.queue.onSubmittedWorkDone();
    return copy;
  }

  /** (N, K) f32 of a matrix of type CHECKED in one part. */
  async #weights({ parts: [part], N, K }: QuantizedMatrix): Promise<Float32Array<ArrayBuffer>> {
    if (part?.N !== N) {
      throw new Error(`expected a matrix (${N}, ${K}) in one part, got it split`);
    }
    const words = new Uint32Array(await this.#queue.read(part.words));
    const scales = new Uint32Array(await this.#queue.read(part.scales));
    return unpackPart({
      ...{ layout: LAYOUT_OF[CHECKED], scaleKind: scaleKind(CHECKED) },
      ...{ n0: 0, N, Np: part.Np, K, words, scales },
    });
  }
}

/** K-quants need rows of whole blocks. */
function fits(type: GgmlType, K: number): boolean {
  return K % (type === "Q4_K" || type === "Q6_K" ? 256 : 4) === 0;
}

/** Seconds of one product. */
async function secondsOf(run: Product["run"], times: number): Promise<number> {
  const started = performance.now();
  await run(times);
  return (performance.now() - started) / 1000 / times;
}

function peerProduct(peer: JaxPeer, rows: number, N: number, K: number): Promise<PeerProduct> {
  // Speed does not depend on values, as long as they are ordinary numbers.
  const values = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i % 61) - 30) / 1500);
  return peer.product({ rows, N, K, x: values(rows * K), dy: values(rows * N), w: values(N * K) });
}
