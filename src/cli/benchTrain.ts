// obp bench train: loading or making a model, and training steps of one prompt or pair, stage by stage, held against the
// adapter's own fma peak; then one more step of each with every kernel timed.
import type { Gpu } from "../gpu/device.ts";
import { kernelTotals, Profiler } from "../gpu/profile.ts";
import { LORA_TARGETS } from "../model/adapters/loraWeights.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { PAPER_SFT, type TrainConfig } from "../train/config.ts";
import { dpoPair } from "../train/dpoExamples.ts";
import type { TrainExample } from "../train/examples.ts";
import { Trainer } from "../train/trainer.ts";
import { writeFileAtomic } from "./atomicFile.ts";
import type { BenchModel } from "./benchModel.ts";
import type { FmaPeak } from "./benchPeak.ts";
import { HeapWatch, type KernelRow, peakProcessBytes, type BenchRow } from "./benchRow.ts";
import { takeTurns, type TurnLimits } from "./benchTurns.ts";
import type { Context } from "./context.ts";
import { type TracedStep, traceJson, type TraceSpan } from "./traceFile.ts";

export const TRAIN_STAGES = ["sft", "sft+cl", "dpo"] as const;
export type TrainStage = (typeof TRAIN_STAGES)[number];

/** About the length of a response of the method's prompts. */
const RESPONSE_TOKENS = 16;
/** Room for a prompt with a type, two entities and what lies beside them. */
export const LEAST_TOKENS = 32;

export interface TrainBenchOptions extends TurnLimits {
  readonly tokens: number;
  readonly stages: readonly TrainStage[];
  readonly peak: FmaPeak;
  /** Where a trace is written; undefined: nowhere. */
  readonly trace: string | undefined;
  /** All seven linears instead of the paper's four. */
  readonly allLinear: boolean;
  readonly checkpointing: "none" | "layer";
}

/** One stage's step. */
interface StageBench {
  readonly stage: TrainStage;
  readonly trainer: Trainer;
  /** Rows of a step's pass. */
  readonly rows: number;
  readonly flops: number;
}

export async function benchTrain(
  { llama, label, seconds: loadSeconds }: BenchModel,
  options: TrainBenchOptions,
  context: Context,
): Promise<{ rows: BenchRow[]; kernels: KernelRow[] }> {
  const gpu = await context.gpu();
  const heap = new HeapWatch();
  const base = () => ({
    ...{ ratio: null, peakHeapBytes: heap.peak, peakProcessBytes: peakProcessBytes(), adapter: gpu.adapterName },
  });
  try {
    const rows: BenchRow[] = [
      { name: `load ${label}`, seconds: loadSeconds, gflops: null, peakGpuBytes: llama.gpuBytes, ...base() },
    ];
    const stages: StageBench[] = [];
    const row = ({ stage, rows: tokens, flops, trainer }: StageBench, what: string, seconds: number, peak: number) => ({
      name: `${what}, ${stage}, ${tokens} tokens, ${label}`,
      ...{ seconds, gflops: flops / seconds / 1e9, peakFraction: flops / seconds / peak },
      ...{ tokensPerSecond: tokens / seconds, peakGpuBytes: llama.gpuBytes + trainer.gpuBytes, ...base() },
    });
    for (const stage of options.stages) {
      const bench = await stageBench(llama, stage, options);
      stages.push(bench);
      const peak = await options.peak.measure();
      rows.push(row(bench, "first step", await stepSeconds(bench, context.signal), peak));
      context.note(`${stage}: first step done`);
    }
    if (options.repeat > 0) {
      const works = stages.map((bench) => () => stepSeconds(bench, context.signal));
      const [peak = NaN, ...medians] = await takeTurns([() => options.peak.measure(), ...works], {
        ...options,
        warmUp: false,
      });
      stages.forEach((bench, i) => rows.push(row(bench, "step", medians[i] ?? NaN, peak)));
    }
    const kernels = await profileSteps(gpu, llama, stages, options, context);
    stages.forEach(({ trainer }) => trainer.destroy());
    return { rows, kernels };
  } finally {
    heap.stop();
  }
}

/** One profiled step of each stage. */
async function profileSteps(
  gpu: Gpu,
  llama: Llama,
  stages: readonly StageBench[],
  { trace, repeat }: TrainBenchOptions,
  context: Context,
): Promise<KernelRow[]> {
  const profiler = Profiler.create(gpu);
  if (profiler === null) {
    context.note(`${gpu.adapterName} has no timestamp queries: times of single kernels are left out`);
  }
  if ((profiler === null || repeat === 0) && trace === undefined) {
    return [];
  }
  const found: KernelRow[] = [];
  const spans: TraceSpan[] = [];
  const steps: TracedStep[] = [];
  for (const { stage, trainer } of stages) {
    llama.queue.profile(profiler);
    const start = performance.now();
    await trainer.step(context.signal);
    const end = performance.now();
    llama.queue.profile(null);
    const kernels = (await profiler?.take()) ?? [];
    const totals = kernelTotals(kernels);
    const sum = totals.reduce((all, { milliseconds }) => all + milliseconds, 0);
    found.push(
      ...totals.map(({ kernel, dispatches, milliseconds }) => ({
        ...{ stage, kernel, dispatches, seconds: milliseconds / 1000, share: milliseconds / sum },
      })),
    );
    steps.push({ name: `step ${trainer.stepsDone}`, start, end, kernels });
    spans.push({ name: stage, start, end: performance.now() });
  }
  if (trace !== undefined) {
    writeFileAtomic(trace, traceJson(gpu.adapterName, spans, steps));
  }
  return found;
}

async function stepSeconds({ trainer }: StageBench, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  await trainer.step(signal);
  return (performance.now() - started) / 1000;
}

async function stageBench(
  llama: Llama,
  stage: TrainStage,
  { tokens, allLinear, checkpointing }: TrainBenchOptions,
): Promise<StageBench> {
  const config: TrainConfig = {
    ...PAPER_SFT,
    ...{ gradAccumSteps: 1, maxSteps: 1000, checkpointing, targets: allLinear ? LORA_TARGETS : PAPER_SFT.targets },
  };
  const lora = Lora.create(llama, config, config.seed);
  const chosen = sequence(llama.config, "chosen", tokens, 0);
  const supervised = RESPONSE_TOKENS;
  const flops = (rows: number, head: { readonly forward: number; readonly backward: number }) =>
    stepFlops(llama.config, rows, head, checkpointing);
  switch (stage) {
    case "sft": {
      const trainer = await Trainer.create(llama, lora, [chosen], config);
      return { stage, trainer, rows: tokens, flops: flops(tokens, { forward: supervised, backward: supervised }) };
    }
    case "sft+cl": {
      const contrastive = { type: [2, 3], entities: [[6, 7], [11]], neighbours: [5, 8, 10, 12] };
      const examples = [{ ...chosen, contrastive }];
      const trainer = await Trainer.create(llama, lora, examples, { ...config, contrastiveWeight: 0.01 });
      return { stage, trainer, rows: tokens, flops: flops(tokens, { forward: supervised, backward: supervised }) };
    }
    case "dpo": {
      const pair = dpoPair("pair", chosen, sequence(llama.config, "rejected", tokens, 1000));
      const reference = { chosen: -100, rejected: -100 };
      const trainer = await Trainer.createDpo(llama, lora, [{ ...pair, reference }], { ...config, stage: "dpo" });
      const rows = tokens + supervised;
      // Once for the log-probabilities, once more for the gradient.
      return { stage, trainer, rows, flops: flops(rows, { forward: 4 * supervised, backward: 2 * supervised }) };
    }
  }
}

/** @param from moves the response's tokens, so that two of them differ */
function sequence({ vocabSize }: LlamaConfig, name: string, tokens: number, from: number): TrainExample {
  const responseStart = tokens - RESPONSE_TOKENS;
  const ids = Array.from({ length: tokens }, (_, i) => ((i < responseStart ? i : i + from) * 97) % vocabSize);
  return { name, ids, responseStart };
}

/**
 * Operations of the frozen linears: forward, dX and, with checkpoints, recomputation of all layers but the last; forward
 * and dX of the head's rows. LoRA's, attention's and the optimizer's own are left out.
 */
function stepFlops(
  config: LlamaConfig,
  rows: number,
  head: { readonly forward: number; readonly backward: number },
  checkpointing: TrainBenchOptions["checkpointing"],
): number {
  const { layers, hiddenSize: C, feedForwardSize: FF, heads, kvHeads, headDim, vocabSize } = config;
  const layer = C * headDim * (2 * heads + 2 * kvHeads) + 3 * C * FF;
  const passes = 2 * layers + (checkpointing === "layer" ? layers - 1 : 0);
  return 2 * (passes * rows * layer + (head.forward + head.backward) * C * vocabSize);
}
