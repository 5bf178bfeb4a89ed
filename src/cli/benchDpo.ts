// obp bench dpo: what the method's later stages cost: a preference pair against two sequences of their own, and the
// attention contrastive loss against a step without it. Steps take turns, so that a busy machine slows all alike.
import { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "../train/config.ts";
import { dpoPair } from "../train/dpoExamples.ts";
import type { TrainExample } from "../train/examples.ts";
import { STAGE_DEFAULTS } from "../train/presets.ts";
import { Trainer } from "../train/trainer.ts";
import { HeapWatch, peakProcessBytes, type BenchRow } from "./benchRow.ts";
import { takeTurns, type TurnLimits } from "./benchTurns.ts";
import type { Context } from "./context.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";

const PROMPT_TOKENS = 110;
const RESPONSE_TOKENS = 15;

export async function benchDpo(model: string, limits: TurnLimits, context: Context): Promise<BenchRow[]> {
  const opened = await openWithTokenizer(model);
  const { vocabSize } = opened.config;
  const heap = new HeapWatch();
  const gpu = await context.gpu();
  const { llama } = await loadModel(opened, null, context);
  const lora = Lora.create(llama, PAPER_SFT, PAPER_SFT.seed);
  const sequence = (name: string, from: number): TrainExample => ({
    name,
    ids: Array.from(
      { length: PROMPT_TOKENS + RESPONSE_TOKENS },
      (_, i) => ((i < PROMPT_TOKENS ? i : i + from) * 97) % vocabSize,
    ),
    responseStart: PROMPT_TOKENS,
  });
  const [chosen, rejected] = [sequence("chosen", 0), sequence("rejected", 1000)];
  const pair = { ...dpoPair("pair", chosen, rejected), reference: { chosen: -100, rejected: -100 } };
  const withEntity = {
    ...chosen,
    contrastive: { type: [40, 41], entities: [[90, 91], [95]], neighbours: [89, 92, 94, 96] },
  };
  const maxSteps = limits.repeat + 1; // one of each compiles
  const config = { ...PAPER_SFT, gradAccumSteps: 2, packTokens: 0, maxSteps };
  const steps: readonly (readonly [string, Trainer])[] = [
    ["two sequences", await Trainer.create(llama, lora, [chosen, rejected], config)],
    ["a preference pair", await Trainer.createDpo(llama, lora, [pair], { ...STAGE_DEFAULTS.dpo, maxSteps })],
    ["one sequence", await Trainer.create(llama, lora, [chosen], config)],
    ["with contrastive loss", await Trainer.create(llama, lora, [withEntity], { ...config, contrastiveWeight: 0.01 })],
  ];
  try {
    const seconds = await takeTurns(
      steps.map(([, trainer]) => async () => {
        const begun = performance.now();
        await trainer.step(context.signal);
        return (performance.now() - begun) / 1000;
      }),
      limits,
    );
    // What each is held against: the pair against two sequences, the contrastive loss against the step without it.
    const against = [null, 0, null, 2];
    return steps.map(([name, trainer], i) => ({
      name: `step, ${name} of ${PROMPT_TOKENS} + ${RESPONSE_TOKENS} tokens`,
      seconds: seconds[i] ?? NaN,
      gflops: null,
      ratio: against[i] === null ? null : (seconds[against[i] ?? 0] ?? NaN) / (seconds[i] ?? NaN),
      peakGpuBytes: llama.gpuBytes + trainer.gpuBytes,
      peakHeapBytes: heap.peak,
      peakProcessBytes: peakProcessBytes(),
      adapter: gpu.adapterName,
    }));
  } finally {
    heap.stop();
  }
}
