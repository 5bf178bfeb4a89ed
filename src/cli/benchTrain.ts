// obp bench train: loading a model, and one training step of one prompt with the paper's settings.
import type { LlamaConfig } from "../model/gguf/config.ts";
import { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "../train/config.ts";
import { Trainer } from "../train/trainer.ts";
import { HeapWatch, peakProcessBytes, type BenchRow } from "./benchRow.ts";
import type { Context } from "./context.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";

/** About the length of a response of the method's prompts. */
const RESPONSE_TOKENS = 16;
/** The first step also compiles; the best of the others counts. */
const STEPS = 3;

export async function benchTrain(model: string, tokens: number, context: Context): Promise<BenchRow[]> {
  const opened = await openWithTokenizer(model);
  const { contextLength } = opened.config;
  if (tokens > contextLength) {
    throw new Error(`expected --tokens up to ${contextLength}, the context of ${opened.config.name}, got ${tokens}`);
  }
  const gpu = await context.gpu();
  const heap = new HeapWatch();
  try {
    const started = performance.now();
    const { llama } = await loadModel(opened, null, context);
    const loadSeconds = (performance.now() - started) / 1000;
    const measured = () => ({
      ratio: null,
      peakHeapBytes: heap.peak,
      peakProcessBytes: peakProcessBytes(),
      adapter: gpu.adapterName,
    });
    const load = {
      ...{ name: `load ${opened.config.name}`, seconds: loadSeconds, gflops: null, peakGpuBytes: llama.gpuBytes },
      ...measured(),
    };
    const ids = Array.from({ length: tokens }, (_, i) => (i * 97) % opened.config.vocabSize);
    const example = { name: "bench", ids, responseStart: Math.max(1, tokens - RESPONSE_TOKENS) };
    const config = { ...PAPER_SFT, gradAccumSteps: 1, maxSteps: STEPS };
    const trainer = await Trainer.create(llama, Lora.create(llama, config, config.seed), [example], config);
    let best = Infinity;
    let first = 0;
    for (let step = 0; step < STEPS; step++) {
      const begun = performance.now();
      await trainer.step(context.signal);
      const seconds = (performance.now() - begun) / 1000;
      first = step === 0 ? seconds : first;
      best = step > 0 ? Math.min(best, seconds) : best;
    }
    const flops = stepFlops(opened.config, tokens, tokens - example.responseStart);
    const train = (name: string, seconds: number) => ({
      ...{ name, seconds, gflops: flops / seconds / 1e9, tokensPerSecond: tokens / seconds },
      ...{ peakGpuBytes: llama.gpuBytes + trainer.gpuBytes, ...measured() },
    });
    return [load, train(`first step, ${tokens} tokens`, first), train(`step, ${tokens} tokens`, best)];
  } finally {
    heap.stop();
  }
}

/** Operations of the frozen linears: forward, recomputation and dX of every layer; forward and dX of the head's rows. */
function stepFlops(config: LlamaConfig, tokens: number, supervised: number): number {
  const { layers, hiddenSize: C, feedForwardSize: FF, heads, kvHeads, headDim, vocabSize } = config;
  const layer = C * headDim * (2 * heads + 2 * kvHeads) + 3 * C * FF;
  return 2 * (3 * tokens * layers * layer + 2 * supervised * C * vocabSize);
}
