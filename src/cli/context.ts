// What every verb gets besides its own flags: the GPU, Ctrl-C, progress, and a way to say something.
import { totalmem } from "node:os";
import type { AdapterKind, Gpu } from "../gpu/device.ts";
import type { KernelSetting } from "../gpu/kernelChoice.ts";
import { InterruptedError } from "./errors.ts";
import { startProgress, type Progress } from "./progress.ts";

interface Kernels {
  readonly setting: KernelSetting;
  readonly tune: boolean;
}

export class Context {
  /** Aborted at the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly adapterKind: AdapterKind;
  /** Rejects when the device is lost or refuses a command; never resolves. Verbs race against it by themselves. */
  readonly gpuFailure: Promise<never>;
  #failGpu: (error: Error) => void = () => undefined;
  readonly #gpuMemory: number | undefined;
  /** Which kernels to run, and whether to measure what is fastest. */
  readonly kernels: Kernels;
  #gpu: Promise<Gpu> | null = null;

  /** @param gpuMemory bytes, what the user says; undefined: what the adapter tells */
  constructor(
    adapterKind: AdapterKind,
    signal: AbortSignal,
    gpuMemory?: number,
    kernels: Kernels = { setting: "auto", tune: false },
  ) {
    this.adapterKind = adapterKind;
    this.#gpuMemory = gpuMemory;
    this.kernels = kernels;
    this.signal = signal;
    this.gpuFailure = new Promise((_, reject) => {
      this.#failGpu = reject;
    });
    this.gpuFailure.catch(() => undefined); // nobody may be listening when a device is lost
  }

  /** The device, opened at the first call. */
  gpu(): Promise<Gpu> {
    this.#gpu ??= this.#open();
    return this.#gpu;
  }

  /** Name of the WebGPU adapter in use; null where none was opened. */
  async adapterName(): Promise<string | null> {
    return this.#gpu === null ? null : (await this.#gpu).adapterName;
  }

  progress(label: string, total: number, unit: string): Progress {
    return startProgress(label, total, unit);
  }

  /** One line on standard error. */
  note(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  /** @throws InterruptedError after Ctrl-C, for verbs with nothing to save. */
  throwIfInterrupted(): void {
    if (this.signal.aborted) {
      throw new InterruptedError();
    }
  }

  async #open(): Promise<Gpu> {
    // Loaded late: text-only verbs start without Dawn.
    const [{ nodeGpu }, { openGpu }] = await Promise.all([import("./nodeGpu.ts"), import("../gpu/device.ts")]);
    const gpu = await openGpu(await nodeGpu(), {
      kind: this.adapterKind,
      memory: { setting: this.#gpuMemory, machine: totalmem() },
      kernels: this.kernels.setting,
    });
    gpu.device.addEventListener("uncapturederror", (event) => {
      this.#failGpu(new Error(`expected the GPU to accept every command, got ${event.error.message} (report this)`));
    });
    void gpu.lost.then(({ reason, message }) => {
      if (reason !== "destroyed") {
        this.#failGpu(
          new Error(`expected the GPU to stay, got device lost: ${message} (run again, or --adapter-kind software)`),
        );
      }
    });
    return gpu;
  }
}
