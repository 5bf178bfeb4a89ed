// A peer of the benchmarks: @jax-js/jax's f32 matmul on the same adapter. A development dependency, loaded when asked for.
import type * as Jax from "@jax-js/jax";
import type { AdapterKind } from "../gpu/device.ts";
import { nodeGpu } from "./nodeGpu.ts";

/** W (N, K), and what is multiplied with it: x (rows, K) forward, dY (rows, N) backward; all f32, row-major. */
export interface PeerOperands {
  readonly rows: number;
  readonly N: number;
  readonly K: number;
  readonly x: Float32Array<ArrayBuffer>;
  readonly dy: Float32Array<ArrayBuffer>;
  readonly w: Float32Array<ArrayBuffer>;
}

/** The products of one matrix, ready to run. */
export interface PeerProduct {
  /** y = x·Wᵀ, so many times over; waits for all. */
  forward(times: number): Promise<void>;
  /** dX = dY·W, likewise. */
  backward(times: number): Promise<void>;
  /** The same, read back. */
  values(direction: "forward" | "backward"): Promise<Float32Array>;
  destroy(): void;
}

/** Dawn aborts when an instance in use is garbage-collected. */
const keptAlive: unknown[] = [];

export class JaxPeer {
  readonly name = "jax-js";
  readonly #jax: typeof Jax;

  private constructor(jax: typeof Jax) {
    this.#jax = jax;
  }

  /** @throws Error where the package is missing or opens another adapter than ours */
  static async open(kind: AdapterKind, adapterName: string): Promise<JaxPeer> {
    const api = await nodeGpu();
    keptAlive.push(api);
    let opened: GPUAdapter | null = null;
    const gpu = {
      requestAdapter: async (options: GPURequestAdapterOptions) => {
        // The choice that openGpu makes.
        const fallback = kind === "software" ? await api.requestAdapter({ forceFallbackAdapter: true }) : null;
        opened = fallback ?? (await api.requestAdapter(options));
        return opened;
      },
    };
    // It asks the page's navigator, which Node lacks or has without a GPU.
    Object.defineProperty(globalThis, "navigator", {
      value: { userAgent: "Node.js", hardwareConcurrency: 2, gpu },
      configurable: true,
    });
    let jax: typeof Jax;
    try {
      jax = await import("@jax-js/jax");
    } catch (error) {
      throw new Error("expected the package @jax-js/jax, got none (npm install, or --peer none)", { cause: error });
    }
    const devices = await jax.init("webgpu");
    const info = (opened as GPUAdapter | null)?.info;
    if (!devices.includes("webgpu") || info === undefined) {
      throw new Error("expected jax-js to open WebGPU, got no device (--peer none runs without it)");
    }
    if (info.description !== "" && !adapterName.includes(info.description)) {
      throw new Error(`expected jax-js on ${adapterName}, got ${info.description} (--peer none runs without it)`);
    }
    jax.defaultDevice("webgpu");
    return new JaxPeer(jax);
  }

  /** Uploads the operands; a W larger than a binding may be is split along N. */
  async product({ rows, N, K, x, dy, w }: PeerOperands): Promise<PeerProduct> {
    const { numpy: np, getWebGPUDevice } = this.#jax;
    const { maxStorageBufferBindingSize, maxBufferSize } = getWebGPUDevice().limits;
    const count = Math.ceil((N * K * 4) / Math.min(maxStorageBufferBindingSize, maxBufferSize));
    const step = Math.ceil(N / count);
    const held: Jax.Array[] = [];
    const upload = async (values: Float32Array<ArrayBuffer>, shape: number[]): Promise<Jax.Array> => {
      const array = np.array(values).reshape(shape);
      held.push(array);
      return await array.blockUntilReady();
    };
    const input = await upload(x, [rows, K]);
    const parts: { n0: number; n: number; w: Jax.Array; dy: Jax.Array }[] = [];
    for (let n0 = 0; n0 < N; n0 += step) {
      const n = Math.min(step, N - n0);
      const columns = count === 1 ? dy : columnsOf(dy, rows, N, n0, n);
      parts.push({
        ...{ n0, n, w: await upload(w.slice(n0 * K, (n0 + n) * K), [n, K]) },
        dy: await upload(columns, [rows, n]),
      });
    }
    const forward = () => parts.map((part) => np.matmul(input.ref, part.w.ref.transpose()));
    const backward = () =>
      parts.map((part) => np.matmul(part.dy.ref, part.w.ref)).reduce((sum, part) => np.add(sum, part));
    const run = async (times: number, product: () => readonly Jax.Array[]) => {
      const arrays = Array.from({ length: times }, product).flat();
      await this.#jax.blockUntilReady(arrays);
      arrays.forEach((array) => array.dispose());
    };
    return {
      forward: (times) => run(times, forward),
      backward: (times) => run(times, () => [backward()]),
      values: async (direction) => {
        if (direction === "backward") {
          return (await backward().data()) as Float32Array;
        }
        const y = new Float32Array(rows * N);
        for (const [i, array] of forward().entries()) {
          const { n0 = 0, n = 0 } = parts[i] ?? {};
          const values = (await array.data()) as Float32Array;
          for (let row = 0; row < rows; row++) y.set(values.subarray(row * n, (row + 1) * n), row * N + n0);
        }
        return y;
      },
      destroy: () => held.forEach((array) => array.dispose()),
    };
  }
}

/** Columns n0 … n0+n−1 of (rows, N). */
function columnsOf(values: Float32Array, rows: number, N: number, n0: number, n: number): Float32Array<ArrayBuffer> {
  const columns = new Float32Array(rows * n);
  for (let row = 0; row < rows; row++) columns.set(values.subarray(row * N + n0, row * N + n0 + n), row * n);
  return columns;
}
