/** Frozen weights on the GPU: quantized matrices in parts along N, and norm vectors. */
import type { BufferPool } from "../gpu/buffers.ts";
import type { CommandQueue } from "../gpu/queue.ts";
import { readTensorF32 } from "./gguf/dequantize.ts";
import type { GgufTensor } from "./gguf/header.ts";
import { packTensor, type ScaleKind, WEIGHT_LAYOUTS, type WeightLayout } from "./gguf/pack.ts";

/** Rows n0 … n0+N−1 of a matrix. */
export interface WeightPart {
  readonly n0: number;
  readonly N: number;
  /** N rounded up to a multiple of 8. */
  readonly Np: number;
  readonly words: GPUBuffer;
  readonly scales: GPUBuffer;
  /** The shader's overrides for this layout. */
  readonly constants: Readonly<Record<string, number>>;
}

/** W (N, K), left quantized. */
export interface QuantizedMatrix {
  readonly name: string;
  readonly N: number;
  readonly K: number;
  readonly parts: readonly WeightPart[];
}

/**
 * Repacks a tensor (N, K) and uploads it part by part; `onBytes` hears the file's bytes done.
 * @throws GgufError where it cannot be packed; the signal's reason where it aborts
 */
export async function uploadMatrix(
  pool: BufferPool,
  tensor: GgufTensor,
  maxPartBytes: number,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<QuantizedMatrix> {
  const [N = 0, K = 0] = tensor.shape;
  const parts: WeightPart[] = [];
  for await (const part of packTensor(tensor, maxPartBytes, signal)) {
    parts.push({
      n0: part.n0,
      N: part.N,
      Np: part.Np,
      words: pool.upload(`${tensor.name}[${part.n0}…] words`, part.words),
      scales: pool.upload(`${tensor.name}[${part.n0}…] scales`, part.scales),
      constants: layoutConstants(part.layout, part.scaleKind),
    });
    onBytes((tensor.byteLength * part.N) / N);
  }
  return { name: tensor.name, N, K, parts };
}

/** Uploads a norm weight as f32. */
export async function uploadVector(pool: BufferPool, tensor: GgufTensor): Promise<GPUBuffer> {
  return pool.upload(tensor.name, await readTensorF32(tensor));
}

/** Waits until uploads so far have left JavaScript's memory, so that loading an 8B never holds it all. */
export async function drainUploads(queue: CommandQueue): Promise<void> {
  await queue.gpu.device.queue.onSubmittedWorkDone();
}

/** One object per combination, so that equal layouts share pipelines by identity of their key. */
const CONSTANTS = WEIGHT_LAYOUTS.map((_, index) => ({
  scaleMin: Object.freeze({ LAYOUT: index, HALVES: 0, SYMMETRIC: 0 }),
  halves: Object.freeze({ LAYOUT: index, HALVES: 1, SYMMETRIC: 0 }),
  scale: Object.freeze({ LAYOUT: index, HALVES: 0, SYMMETRIC: 1 }),
}));

/** The shader's overrides for a layout. */
export function layoutConstants(layout: WeightLayout, scaleKind: ScaleKind): Readonly<Record<string, number>> {
  const constants = CONSTANTS[WEIGHT_LAYOUTS.indexOf(layout)]?.[scaleKind];
  if (constants === undefined) {
    throw new Error(`expected a weight layout of ${WEIGHT_LAYOUTS.join(", ")}, got ${layout}`);
  }
  return constants;
}
