// A model ready to run: its tokenizer, and its weights on the GPU.
import type { KernelChoice } from "../gpu/kernelChoice.ts";
import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import { readLlamaConfig, type LlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import type { Context } from "./context.ts";
import { planEmbedding } from "./gpuMemory.ts";
import { measureKernels, takeKeptKernels } from "./kernelRecord.ts";
import { openModel } from "./openModel.ts";

/** What is known of a model before its weights are read: enough to check a verb's whole input. */
export interface OpenedModel {
  readonly gguf: GgufFile;
  readonly config: LlamaConfig;
  readonly tokenizer: Tokenizer;
}

/** Opens the file or set that `--model` names. */
export async function openWithTokenizer(model: string): Promise<OpenedModel> {
  const gguf = await openModel(model);
  return { gguf, config: await readLlamaConfig(gguf), tokenizer: Tokenizer.fromGguf(gguf) };
}

export interface LoadSettings {
  /** An untied embedding stays in the file; by default where memory is short. */
  readonly embeddingInFile?: boolean;
  /** Kernels that a checkpoint records: what goes on is to give the same bits, so that no others are looked for. */
  readonly recorded?: KernelChoice | null;
}

/** Puts the weights on the GPU, and the adapter where there is one. */
export async function loadModel(
  opened: OpenedModel,
  adapter: LoraWeights | null,
  context: Context,
  { embeddingInFile, recorded = null }: LoadSettings = {},
): Promise<{ llama: Llama; lora: Lora | null }> {
  const { gguf } = opened;
  const gpu = await context.gpu();
  const kept = context.kernels.setting === "auto" && recorded === null ? await takeKeptKernels(gpu) : null;
  const bytes = [...gguf.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const progress = context.progress("loading", bytes, "B");
  const llama = await Llama.load(gpu, gguf, {
    signal: context.signal,
    onProgress: (done) => progress.update(done),
    embeddingInFile: embeddingInFile ?? planEmbedding(opened, gpu.capacity),
  });
  progress.finish();
  if (recorded !== null) {
    await llama.useKernels(recorded);
    if (context.kernels.tune) {
      context.note("nothing is measured for --tune: a run that goes on keeps the kernels of its checkpoint");
    }
  } else if (kept !== null) {
    await measureKernels(llama, kept, context);
  }
  return { llama, lora: adapter === null ? null : Lora.fromWeights(llama, adapter) };
}
