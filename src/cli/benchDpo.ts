// obp bench dpo: what the method's later stages cost: a preference pair against two sequences of their own, and the
// attention contrastive loss against a step without it. Steps take turns, so that a busy machine slows all alike.
import { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "../train/config.ts";
import { dpoPair } from "../train/dpoExamples.ts";
import type { TrainExample } from "../train/examples.ts";
import { STAGE_DEFAULTS } from "../train/presets.ts";
import { Trainer } from "../train/trainer.ts";
import { HeapWatch, peakProcessBytes, type BenchRow } from "./benchRow.ts";
import type { Context } from "./context.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";

const PROMPT_TOKENS = 110;
const RESPONSE_TOKENS = 15;
/** After one step of each, which compiles. */
const REPETITIONS = 3;

export async function benchDpo(model: string, context: Context): Promise<BenchRow[]> {
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
  const config = { ...PAPER_SFT, gradAccumSteps: 2, packTokens: 0, maxSteps: REPETITIONS + 1 };
  const steps: readonly (readonly [string, Trainer])[] = [
    ["two sequences", await Trainer.create(llama, lora, [chosen, rejected], config)],
    [
      "a preference pair",
      await Trainer.createDpo(llama, lora, [pair], { ...STAGE_DEFAULTS.dpo, maxSteps: REPETITIONS + 1 }),
    ],
    ["one sequence", await Trainer.create(llama, lora, [chosen], config)],
    ["with contrastive loss", await Trainer.create(llama, lora, [withEntity], { ...config, contrastiveWeight: 0.01 })],
  ];
  const seconds = steps.map(() => [] as number[]);
  try {
    for (let repetition = 0; repetition <= REPETITIONS; repetition++) {
      for (const [i, [, trainer]] of steps.entries()) {
        const begun = performance.now();
        await trainer.step(context.signal);
        if (repetition > 0) {
          seconds[i]?.push((performance.now() - begun) / 1000);
        }
      }
    }
    const median = (i: number) => seconds[i]?.sort((a, b) => a - b)[Math.floor(REPETITIONS / 2)] ?? NaN;
    // What each is held against: the pair against two sequences, the contrastive loss against the step without it.
    const against = [null, 0, null, 2];
    return steps.map(([name, trainer], i) => ({
      name: `step, ${name} of ${PROMPT_TOKENS} + ${RESPONSE_TOKENS} tokens`,
      seconds: median(i),
      gflops: null,
      ratio: against[i] === null ? null : median(against[i] ?? 0) / median(i),
      peakGpuBytes: llama.gpuBytes + trainer.gpuBytes,
      peakHeapBytes: heap.peak,
      peakProcessBytes: peakProcessBytes(),
      adapter: gpu.adapterName,
    }));
  } finally {
    heap.stop();
  }
}
