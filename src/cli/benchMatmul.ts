// obp bench matmul: the quantized linear kernels, both directions, on the linears of one decoder layer.
import { BufferPool } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { linearBackward, linearForward, linearForwardRow } from "../kernels/linear.ts";
import { backwardLinear, forwardLinear } from "../model/linear.ts";
import { uploadMatrix, type QuantizedMatrix } from "../model/weights.ts";
import { bestSeconds, HeapWatch, peakProcessBytes, type BenchRow } from "./benchRow.ts";
import { openModel } from "./openModel.ts";

/** [outputs N, inputs K] of the linears of one layer that differ in shape. */
const LAYER_SHAPES: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>> = {
  "llama-3.1-8b": { "q, o": [4096, 4096], "k, v": [1024, 4096], "gate, up": [14336, 4096], down: [4096, 14336] },
  "llama-3.2-1b": { "q, o": [2048, 2048], "k, v": [512, 2048], "gate, up": [8192, 2048], down: [2048, 8192] },
};
/** GGUF's names of the linears that differ in shape. */
const FILE_LINEARS = { "q, o": "attn_q", "k, v": "attn_k", "gate, up": "ffn_gate", down: "ffn_down" };

/** Rows of forward and backward for each linear of `shape` (a name above, or a model), `tokens` tokens. */
export async function benchMatmul(gpu: Gpu, shape: string, tokens: number, signal: AbortSignal): Promise<BenchRow[]> {
  const queue = new CommandQueue(gpu);
  const pool = new BufferPool(gpu);
  const heap = new HeapWatch();
  const rows: BenchRow[] = [];
  try {
    for await (const [label, matrix] of matrices(gpu, pool, shape)) {
      const { N, K } = matrix;
      const x = pool.storage("x", tokens * K * 4);
      const y = pool.storage("y", tokens * N * 4);
      for (const { constants } of matrix.parts) {
        for (const kernel of [linearForward, linearForwardRow, linearBackward]) {
          await queue.pipelines.prepare(kernel, constants);
        }
      }
      for (const [direction, record] of [
        ["forward", () => forwardLinear(queue, matrix, x, tokens, y)],
        ["backward", () => backwardLinear(queue, matrix, y, tokens, x, false)],
      ] as const) {
        const seconds = await bestSeconds(queue, record, signal);
        rows.push({
          name: `${direction} ${label} ${tokens}×${K}→${N}`,
          seconds,
          gflops: (2 * tokens * N * K) / seconds / 1e9,
          ratio: null,
          peakGpuBytes: pool.bytes,
          peakHeapBytes: heap.peak,
          peakProcessBytes: peakProcessBytes(),
          adapter: gpu.adapterName,
        });
      }
      queue.release(pool, [x, y, ...matrix.parts.flatMap(({ words, scales }) => [words, scales])]);
    }
  } finally {
    heap.stop();
    pool.destroy();
    queue.destroy();
  }
  return rows;
}

async function* matrices(gpu: Gpu, pool: BufferPool, shape: string): AsyncGenerator<[string, QuantizedMatrix]> {
  const named = Object.hasOwn(LAYER_SHAPES, shape) ? LAYER_SHAPES[shape] : undefined;
  for (const [label, [N, K]] of Object.entries(named ?? {})) {
    yield [`${label} (q4)`, syntheticQ4(pool, N, K)];
  }
  if (named !== undefined) {
    return;
  }
  const gguf = await openModel(shape);
  for (const [label, name] of Object.entries(FILE_LINEARS)) {
    const tensor = gguf.tensors.get(`blk.0.${name}.weight`);
    if (tensor === undefined) {
      throw new Error(`expected tensor blk.0.${name}.weight of a Llama in ${gguf.name}, got none`);
    }
    const limit = gpu.device.limits.maxStorageBufferBindingSize;
    yield [`${label} (${tensor.type})`, await uploadMatrix(pool, tensor, limit, () => undefined)];
  }
}

/** Weights w = 0.01·q − 0.08 with pseudo-random q: speed does not depend on the values. */
function syntheticQ4(pool: BufferPool, N: number, K: number): QuantizedMatrix {
  const words = new Uint32Array((N * K) / 8);
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  const f16 = { scale: 0x211f, min: 0xad1f };
  const scales = new Uint32Array((N * K) / 32).fill(((f16.min << 16) | f16.scale) >>> 0);
  const part = { n0: 0, N, Np: N, constants: { LAYOUT: 0, HALVES: 0 } };
  const buffers = { words: pool.upload("words", words), scales: pool.upload("scales", scales) };
  return { name: "synthetic", N, K, parts: [{ ...part, ...buffers }] };
}
