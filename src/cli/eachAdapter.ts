// Adapters beside each other: one after the other on the same model.
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import type { Context } from "./context.ts";
import type { NamedAdapter } from "./figure.ts";

/** What one adapter's work is told: when to stop, and whom to tell of its progress. */
export interface EachOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

/** @param total steps of one adapter's work, `unit` what they are */
export async function eachAdapter<T>(
  llama: Llama,
  adapters: readonly NamedAdapter[],
  { label, total, unit }: { readonly label: string; readonly total: number; readonly unit: string },
  context: Context,
  work: (name: string, lora: Lora | null, options: EachOptions) => Promise<T>,
): Promise<T[]> {
  const progress = context.progress(label, adapters.length * total, unit);
  const results: T[] = [];
  for (const [index, { name, weights }] of adapters.entries()) {
    context.throwIfInterrupted();
    const lora = weights === null ? null : Lora.fromWeights(llama, weights);
    const onProgress = (done: number): void => progress.update(index * total + done);
    try {
      results.push(await work(name, lora, { signal: context.signal, onProgress }));
    } finally {
      lora?.destroy();
    }
    progress.update((index + 1) * total);
  }
  progress.finish();
  return results;
}
