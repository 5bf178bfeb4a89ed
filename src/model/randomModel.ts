/** Models of any size without their files: random weights, made matrix by matrix on the GPU, none of them on the host. */
import { BufferPool } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { randomScales, randomWords } from "../kernels/random_weights.ts";
import { LORA_TARGETS, type LoraTarget } from "./adapters/loraWeights.ts";
import type { LlamaConfig } from "./gguf/config.ts";
import { LAYOUT_OF, packedBytes, partRows, scaleKind } from "./gguf/pack.ts";
import type { GgmlType } from "./gguf/types.ts";
import { linearShape } from "./linearShape.ts";
import { Llama, type LlamaLayer, MAX_PART_BYTES } from "./llama.ts";
import { embeddingType, headType, linearType, type QuantizationMix } from "./quantizationMix.ts";
import { nameSeed } from "./random.ts";
import { layoutConstants, type QuantizedMatrix, type WeightPart } from "./weights.ts";

export interface RandomModelOptions {
  readonly seed?: number;
  /** Hears layers done. */
  readonly onProgress?: (layers: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * A Llama with weights of about N(0, 0.02²), quantized as a file of the mix is; norms are 1.
 * @throws GpuError where memory does not suffice; the signal's reason where it aborts
 */
export async function randomLlama(
  gpu: Gpu,
  config: LlamaConfig,
  mix: QuantizationMix,
  { seed = 1, onProgress, signal }: RandomModelOptions = {},
): Promise<Llama> {
  const queue = new CommandQueue(gpu);
  const pool = new BufferPool(gpu);
  try {
    const { hiddenSize: C, vocabSize: V, layers } = config;
    const matrix = (name: string, type: GgmlType, N: number, K: number) =>
      randomMatrix(queue, pool, { name, type, shape: [N, K] }, seed);
    const ones = (name: string) => pool.upload(name, new Float32Array(C).fill(1));
    const embedding = await matrix("token_embd.weight", embeddingType(mix, config.tiedEmbeddings, C), V, C);
    const head = config.tiedEmbeddings ? embedding : await matrix("output.weight", headType(C), V, C);
    const made: LlamaLayer[] = [];
    for (let layer = 0; layer < layers; layer++) {
      signal?.throwIfAborted();
      const linears = {} as Record<LoraTarget, QuantizedMatrix>;
      for (const target of LORA_TARGETS) {
        const [N, K] = linearShape(config, target);
        linears[target] = await matrix(`blk.${layer}.${target}`, linearType(mix, target, { layer, layers, K }), N, K);
      }
      made.push({ attentionNorm: ones("attention norm"), feedForwardNorm: ones("feed-forward norm"), linears });
      queue.flush();
      await gpu.device.queue.onSubmittedWorkDone();
      onProgress?.(layer + 1);
    }
    const llama = await Llama.of(config, queue, pool, { embedding, head, outputNorm: ones("norm"), layers: made });
    const error = gpu.takeError();
    if (error !== null) {
      throw error;
    }
    return llama;
  } catch (error) {
    queue.release(pool);
    queue.destroy();
    throw error;
  }
}

/** A matrix (N, K) of random weights, in parts as the device's limits ask; recorded, not submitted. */
export async function randomMatrix(
  queue: CommandQueue,
  pool: BufferPool,
  tensor: { readonly name: string; readonly type: GgmlType; readonly shape: readonly [N: number, K: number] },
  seed: number,
): Promise<QuantizedMatrix> {
  const { name, type, shape } = tensor;
  const [N, K] = shape;
  const { maxStorageBufferBindingSize, maxBufferSize } = queue.gpu.device.limits;
  const rows = partRows(tensor, Math.min(MAX_PART_BYTES, maxStorageBufferBindingSize, maxBufferSize));
  const constants = layoutConstants(LAYOUT_OF[type], scaleKind(type));
  await queue.pipelines.prepare(randomWords, constants);
  await queue.pipelines.prepare(randomScales, constants);
  const parts: WeightPart[] = [];
  for (let n0 = 0; n0 < N; n0 += rows) {
    const partN = Math.min(rows, N - n0);
    const Np = Math.ceil(partN / 8) * 8;
    const bytes = packedBytes(type, partN, K);
    const words = pool.storage(`${name}[${n0}…] words`, bytes.words);
    const scales = pool.storage(`${name}[${n0}…] scales`, bytes.scales);
    const params = { N: partN, Np, K, seed: nameSeed(`${name} ${n0}`, seed) };
    queue.dispatch(randomWords, { words }, { ...params, count: bytes.words / 4 }, constants, bytes.words);
    queue.dispatch(randomScales, { scales }, { ...params, count: bytes.scales / 4 }, constants, bytes.scales);
    parts.push({ n0, N: partN, Np, words, scales, constants });
  }
  return { name, N, K, parts };
}
