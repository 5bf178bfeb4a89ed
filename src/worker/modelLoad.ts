// The open model's weights on their way to the GPU. What needs them joins in; nobody waits for them twice.

import type { Gpu } from "../gpu/device.ts";
import { Llama } from "../model/llama.ts";
import { embeddingLeaves } from "./memory.ts";
import type { OpenModel } from "./modelFacts.ts";

export class ModelLoad {
  /** @throws the reason of whatever ended it */
  readonly llama: Promise<Llama>;
  readonly #cancelled = new AbortController();

  /**
   * @param signal ends it, besides `cancel`
   * @param onProgress hears bytes of the file done and in all
   * @param afterLoad belongs to it: nobody gets the weights before
   */
  constructor(
    gpu: Gpu,
    { gguf, config }: OpenModel,
    signal: AbortSignal | null,
    onProgress: Progress,
    afterLoad: (llama: Llama, signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  ) {
    const either = AbortSignal.any([this.#cancelled.signal, ...(signal === null ? [] : [signal])]);
    const embeddingInFile = embeddingLeaves(gguf, config, gpu.capacity);
    this.llama = Llama.load(gpu, gguf, { signal: either, embeddingInFile, onProgress }).then(async (llama) => {
      try {
        await afterLoad(llama, either);
        return llama;
      } catch (error) {
        llama.destroy();
        throw error;
      }
    });
    this.llama.catch(() => undefined); // told to those that wait; else the next to need the model begins anew
  }

  /** The weights. @throws the signal's reason where it aborts first, and then the loading goes on */
  async wait(signal: AbortSignal): Promise<Llama> {
    signal.throwIfAborted();
    let onAbort = (): void => undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort);
    });
    try {
      return await Promise.race([this.llama, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Stops it, or frees what it has loaded. */
  cancel(): void {
    this.#cancelled.abort(new DOMException("another model was opened", "AbortError"));
    void this.llama.then((llama) => llama.destroy()).catch(() => undefined);
  }
}

type Progress = (doneBytes: number, totalBytes: number) => void;
