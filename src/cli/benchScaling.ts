// obp bench scaling: how a step's time and memory grow with tokens, batch, rank and layers, on a small random model.
import { LORA_TARGETS } from "../model/adapters/loraWeights.ts";
import type { LlamaConfig } from "../model/gguf/config.ts";
import { Lora } from "../model/lora.ts";
import { linearShape } from "../model/linearShape.ts";
import { sumParts, trainingParts } from "../model/memoryPlan.ts";
import { randomLlama } from "../model/randomModel.ts";
import { PAPER_SFT } from "../train/config.ts";
import { Trainer } from "../train/trainer.ts";
import { HeapWatch, peakProcessBytes, type BenchRow } from "./benchRow.ts";
import { takeTurns, type TurnLimits } from "./benchTurns.ts";
import type { Context } from "./context.ts";
import type { ScalingSeries } from "./scalingPlot.ts";

/** What grows, one at a time; the others stay at their first value. */
const SWEEPS = {
  tokens: { title: "tokens of a prompt", values: [64, 128, 256, 512, 1024, 2048] },
  batch: { title: "prompts of a step", values: [1, 2, 4, 8] },
  rank: { title: "rank of LoRA", values: [4, 8, 16, 32, 64] },
  layers: { title: "layers", values: [1, 2, 4, 8] },
} as const;
type Axis = keyof typeof SWEEPS;

const BASE: Readonly<Record<Axis, number>> = { tokens: 128, batch: 1, rank: 8, layers: 2 };
const SHAPE: LlamaConfig = {
  name: "small",
  ...{ layers: BASE.layers, hiddenSize: 256, heads: 4, kvHeads: 2, headDim: 64, feedForwardSize: 768 },
  ...{ vocabSize: 1024, contextLength: 4096, ropeTheta: 10000, ropeFactors: null, rmsNormEps: 1e-5 },
  ...{ tiedEmbeddings: true, bosTokenId: 1, eosTokenId: 2, addBos: false },
};
const RESPONSE_TOKENS = 16;

/** @returns rows, and the curves for the plot */
export async function benchScaling(
  limits: TurnLimits,
  context: Context,
): Promise<{ rows: BenchRow[]; series: ScalingSeries[] }> {
  const gpu = await context.gpu();
  const heap = new HeapWatch();
  const rows: BenchRow[] = [];
  const series: ScalingSeries[] = [];
  const progress = context.progress("scaling", Object.keys(SWEEPS).length, "curves");
  try {
    for (const [axis, { title, values }] of Object.entries(SWEEPS) as [Axis, (typeof SWEEPS)[Axis]][]) {
      const points = values.map((value) => ({ ...BASE, [axis]: value }));
      const benches = [];
      for (const point of points) benches.push(await openPoint(context, point));
      const seconds = await takeTurns(
        benches.map(({ trainer }) => async () => {
          const started = performance.now();
          await trainer.step(limits.signal);
          return (performance.now() - started) / 1000;
        }),
        limits,
      );
      const bytes = benches.map(({ gpuBytes }) => gpuBytes);
      const planned = benches.map(({ plannedBytes }) => plannedBytes);
      benches.forEach(({ destroy }) => destroy());
      points.forEach((point, i) => {
        const work = stepWork(point);
        rows.push({
          name: `step, ${axis} ${point[axis]} (tokens ${point.tokens}, batch ${point.batch}, rank ${point.rank}, layers ${point.layers})`,
          ...{ seconds: seconds[i] ?? NaN, gflops: (2 * work) / (seconds[i] ?? NaN) / 1e9, ratio: null },
          tokensPerSecond: (point.tokens * point.batch) / (seconds[i] ?? NaN),
          ...{ peakGpuBytes: bytes[i] ?? NaN, peakHeapBytes: heap.peak, peakProcessBytes: peakProcessBytes() },
          adapter: gpu.adapterName,
        });
      });
      series.push({ title, values, seconds, bytes, work: points.map(stepWork), planned });
      progress.update(series.length);
    }
  } finally {
    progress.finish();
    heap.stop();
  }
  return { rows, series };
}

async function openPoint(context: Context, { tokens, batch, rank, layers }: Readonly<Record<Axis, number>>) {
  const llama = await randomLlama(await context.gpu(), { ...SHAPE, layers }, "Q4_0");
  const config = {
    ...PAPER_SFT,
    ...{ rank, targets: LORA_TARGETS, gradAccumSteps: batch, maxSteps: 1000, packTokens: 0 },
    checkpointing: "none" as const,
  };
  const examples = Array.from({ length: batch }, (_, n) => ({
    name: `prompt ${n}`,
    ids: Array.from({ length: tokens }, (_, i) => (i * 97 + n) % SHAPE.vocabSize),
    responseStart: tokens - RESPONSE_TOKENS,
  }));
  const headWidth = Math.max(...llama.head.parts.map(({ Np }) => Np));
  const lora = Lora.create(llama, config, config.seed);
  const trainer = await Trainer.create(llama, lora, examples, config);
  return {
    trainer,
    gpuBytes: llama.gpuBytes + trainer.gpuBytes,
    plannedBytes: llama.gpuBytes + sumParts(trainingParts(llama.config, headWidth, { ...config, rows: tokens })),
    destroy: () => {
      trainer.destroy();
      lora.destroy();
      llama.destroy();
    },
  };
}

/** Multiply-adds of a step: products, LoRA, attention over all pairs of rows up to the diagonal, and the head. */
function stepWork({ tokens: T, batch, rank, layers }: Readonly<Record<Axis, number>>): number {
  let [linears, lora] = [0, 0];
  for (const target of LORA_TARGETS) {
    const [N, K] = linearShape(SHAPE, target);
    linears += N * K;
    lora += rank * (N + K);
  }
  const pairs = ((T * (T + 1)) / 2) * SHAPE.heads * SHAPE.headDim;
  const forward = T * (linears + lora) + 2 * pairs; // Q·Kᵀ and P·V
  const backward = T * (linears + 2 * lora) + 7 * pairs; // scores and dP twice each, dQ, dK, dV
  const head = 2 * RESPONSE_TOKENS * SHAPE.hiddenSize * SHAPE.vocabSize;
  return batch * (layers * (forward + backward) + head);
}
