/** Compiles a model's pipelines ahead of their first dispatch, all at a time. Only layouts are needed, no weights. */
import type { KernelDefinition } from "../gpu/kernel.ts";
import type { CommandQueue } from "../gpu/queue.ts";
import { attentionForward, sharedLoads } from "../kernels/attention.ts";
import { crossEntropyAccumulate, crossEntropyBackward, crossEntropyFinish } from "../kernels/cross_entropy.ts";
import { contrastiveLoss, contrastivePool, contrastiveScatter, contrastiveSum } from "../kernels/contrastive.ts";
import { dpoFactors, dpoLoss, dpoSum } from "../kernels/dpo.ts";
import { embeddingGather } from "../kernels/embedding.ts";
import { halvesPack, halvesUnpack } from "../kernels/halves.ts";
import { headPicked } from "../kernels/head.ts";
import { adamUpdate, clipByGlobalNorm, squareSums } from "../kernels/optimizer.ts";
import { rmsnormBackward, rmsnormForward } from "../kernels/rmsnorm.ts";
import { ropeRotate } from "../kernels/rope.ts";
import { rowsCopy, rowsGather, rowsScatter, rowsScatterAdd } from "../kernels/rows.ts";
import { swigluBackward, swigluForward } from "../kernels/swiglu.ts";
import type { LlamaConfig } from "./gguf/config.ts";
import { attentionKernels, type Direction, linearKernels, loraKernels } from "./kernelFamilies.ts";

type Constants = Readonly<Record<string, number>>;

/** The overrides of a model's weights (`layoutConstants`), by what reads them. */
export interface ModelLayouts {
  /** Of the layers. */
  readonly linears: ReadonlySet<Constants>;
  readonly head: ReadonlySet<Constants>;
  /** None where the embedding stays in the file. */
  readonly embedding: ReadonlySet<Constants>;
}

/** The kernels of forward and decoding. */
export async function prepareInference(
  queue: CommandQueue,
  layouts: ModelLayouts,
  attention: Constants,
): Promise<void> {
  const lora = loraKernels(queue.gpu);
  await Promise.all([
    prepareLinear(queue, ["forward"], layouts),
    prepare(queue, [attentionForward, attentionKernels(queue.gpu).forward], attention),
    ...[...layouts.embedding].map((layout) => prepare(queue, [embeddingGather], layout)),
    ...[...layouts.head].map((layout) => prepare(queue, [headPicked], layout)),
    prepare(queue, [lora.down, lora.up, rmsnormForward, ropeRotate, swigluForward]),
    prepare(queue, [rowsCopy, rowsGather, rowsScatter]),
    prepare(queue, [crossEntropyAccumulate, crossEntropyFinish]),
  ]);
}

/** The kernels of backward and the optimizer. */
export async function prepareTraining(queue: CommandQueue, layouts: ModelLayouts, attention: Constants): Promise<void> {
  const lora = loraKernels(queue.gpu);
  const { backwardQ, backwardKv } = attentionKernels(queue.gpu);
  await Promise.all([
    prepareLinear(queue, ["backward"], layouts),
    prepare(queue, [backwardQ, backwardKv], attention),
    prepare(queue, [lora.grad, rmsnormBackward, swigluBackward, rowsScatterAdd, crossEntropyBackward]),
    prepare(queue, [squareSums, clipByGlobalNorm, adamUpdate, halvesPack, halvesUnpack]),
    prepare(queue, [contrastivePool, contrastiveLoss, contrastiveSum, contrastiveScatter]),
    prepare(queue, [dpoSum, dpoLoss, dpoFactors]),
  ]);
}

/** The overrides of the attention kernels. */
export function attentionConstants({ gpu }: CommandQueue, { heads, kvHeads, headDim }: LlamaConfig): Constants {
  return gpu.isSoftware ? sharedLoads(heads, kvHeads) : { D: headDim };
}

async function prepare(queue: CommandQueue, kernels: readonly unknown[], constants: Constants = {}): Promise<void> {
  await Promise.all(kernels.map((kernel) => queue.pipelines.prepare(kernel as KernelDefinition, constants)));
}

async function prepareLinear(
  queue: CommandQueue,
  directions: readonly Direction[],
  { linears, head }: ModelLayouts,
): Promise<void> {
  // The embedding is only gathered from, unless it is the head too.
  const layouts = new Set([...head, ...linears]);
  const chosen = [...layouts].flatMap((layout) => linearKernels(queue.gpu, directions, layout));
  await Promise.all(chosen.map(({ kernel, constants }) => prepare(queue, [kernel], constants)));
}
