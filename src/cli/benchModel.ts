// The model of a benchmark: a file, or a known shape with random weights.
import { randomLlama } from "../model/randomModel.ts";
import type { Llama } from "../model/llama.ts";
import type { QuantizationMix } from "../model/quantizationMix.ts";
import { shapeOf } from "../model/shapes.ts";
import type { Context } from "./context.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";

export interface BenchModelOptions {
  /** A known shape's name, a GGUF file or bundled. */
  readonly shape: string;
  /** Of a known shape. */
  readonly mix: QuantizationMix;
  /** Of a known shape, only its first so many; undefined: all. */
  readonly layers: number | undefined;
  /** Tokens that must fit its context. */
  readonly tokens: number;
}

export interface BenchModel {
  readonly llama: Llama;
  /** Name, mix and layers, for tables. */
  readonly label: string;
  /** Of loading or making it. */
  readonly seconds: number;
}

export async function openBenchModel(options: BenchModelOptions, context: Context): Promise<BenchModel> {
  const { shape, mix, layers, tokens } = options;
  const known = shapeOf(shape);
  if (known === undefined) {
    if (layers !== undefined) {
      throw new Error(`expected --layers with a known shape only, got it with ${shape} (a file has its own)`);
    }
    const opened = await openWithTokenizer(shape);
    checkFits(opened.config, tokens);
    await context.gpu();
    const started = performance.now();
    const { llama } = await loadModel(opened, null, context);
    return { llama, label: opened.config.name, seconds: (performance.now() - started) / 1000 };
  }
  if (layers !== undefined && layers > known.layers) {
    throw new Error(`expected --layers up to ${known.layers}, those of ${known.name}, got ${layers}`);
  }
  checkFits(known, tokens);
  const config = { ...known, layers: layers ?? known.layers };
  const gpu = await context.gpu();
  const progress = context.progress("making weights", config.layers, "layers");
  const started = performance.now();
  const llama = await randomLlama(gpu, config, mix, {
    onProgress: (done) => progress.update(done),
    signal: context.signal,
  });
  progress.finish();
  const of = config.layers === known.layers ? "" : `, ${config.layers} of ${known.layers} layers`;
  return { llama, label: `${known.name} ${mix}${of}`, seconds: (performance.now() - started) / 1000 };
}

function checkFits({ name, contextLength }: { name: string; contextLength: number }, tokens: number): void {
  if (tokens > contextLength) {
    throw new Error(`expected --tokens up to ${contextLength}, the context of ${name}, got ${tokens}`);
  }
}
