// Which kernels the device runs: measured at first use on a GPU, kept for the next visit, and what the user says instead.

import { version } from "../../package.json";
import type { Gpu } from "../gpu/device.ts";
import { chooseKernels, type KernelChoice, type KernelSetting } from "../gpu/kernelChoice.ts";
import type { Llama } from "../model/llama.ts";
import { dropReplaced, productsOf, tuneKernels } from "../model/tuneKernels.ts";
import {
  fittingRecord,
  type ModelProduct,
  tunedChoice,
  type TuningIdentity,
  type TuningRecord,
  tuningSources,
  unmeasured,
  withMeasured,
} from "../model/tuningRecord.ts";
import { readKernelRecord, saveKernelRecord } from "../storage/kernelStore.ts";
import { kernelReport } from "./kernelReport.ts";
import type { StudioEvent } from "./protocol.ts";
import { throttle } from "./throttle.ts";

/** A device that is open, and what is known of it. */
interface Known {
  readonly gpu: Gpu;
  readonly own: TuningIdentity;
  record: TuningRecord | null;
  /** What the setting comes to. The device runs it from the next job on. */
  choice: KernelChoice;
  /** Of the model whose weights were loaded last. */
  products: readonly ModelProduct[];
}

export class KernelTuning {
  readonly #emit: (event: StudioEvent) => void;
  #setting: KernelSetting = "auto";
  #known: Known | null = null;

  constructor(emit: (event: StudioEvent) => void) {
    this.#emit = emit;
  }

  /** Takes what was measured on this device before, so that a model that is loaded then compiles only that. */
  async open(gpu: Gpu): Promise<void> {
    // No driver is named in a browser, which compiles the kernels too: what another version measured may not hold.
    const adapter = `${gpu.adapterIdentity}, ${navigator.userAgent}`;
    const own = { adapter, version, sources: await tuningSources(gpu) };
    const record = fittingRecord(await readKernelRecord().catch(() => null), own, gpu);
    this.#known = { gpu, own, record, choice: gpu.kernels, products: [] };
    this.#choose();
  }

  /** The device is gone. */
  close(): void {
    this.#known = null;
    this.#emit({ kind: "kernels", kernels: null });
  }

  /** What the next job runs. */
  set(setting: KernelSetting): void {
    this.#setting = setting;
    this.#choose();
  }

  /** Before a model is loaded: it compiles what is chosen now. */
  beforeLoad(): void {
    if (this.#known !== null) this.#known.gpu.kernels = this.#known.choice;
  }

  /**
   * After a model was loaded: measures what is not known of its products. A software adapter is measured only where the
   * user asks, and what is forced needs no measuring.
   */
  async afterLoad(llama: Llama, signal: AbortSignal): Promise<void> {
    const known = this.#known;
    if (known === null) return;
    known.products = productsOf(llama);
    const missing = unmeasured(known.record, known.products);
    if (known.gpu.isSoftware || this.#setting !== "auto" || missing.length === 0) {
      this.#tell();
      return;
    }
    await this.#measure(known, llama, missing, signal, () => undefined);
    await this.#run(known, llama);
  }

  /** Measures all products of a model anew, because the user asked. */
  async measure(llama: Llama, signal: AbortSignal): Promise<void> {
    const known = this.#known;
    if (known === null) return;
    this.#emit({ kind: "phase", phase: "measuring kernels" });
    const show = throttle((done: number, total: number) =>
      this.#emit({ kind: "progress", done, total, unit: "products" }),
    );
    known.products = productsOf(llama);
    await this.#measure(known, llama, known.products, signal, show);
    await this.apply(llama);
  }

  /** Before a job runs: the device runs what is chosen now. */
  async apply(llama: Llama): Promise<void> {
    const known = this.#known;
    if (known === null || known.gpu.kernels === known.choice) return;
    this.#emit({ kind: "phase", phase: "preparing kernels" });
    await this.#run(known, llama);
  }

  async #run(known: Known, llama: Llama): Promise<void> {
    const before = known.gpu.kernels;
    try {
      await llama.useKernels(known.choice);
    } catch (error) {
      known.gpu.kernels = before; // which are prepared
      throw error;
    }
    dropReplaced(llama.queue, known.products, before);
  }

  async #measure(
    known: Known,
    llama: Llama,
    products: readonly ModelProduct[],
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<void> {
    const measured = await tuneKernels(llama.queue, products, { signal, onProgress });
    if (measured.length === 0) return;
    known.record = withMeasured(known.record, known.own, measured);
    this.#choose();
    try {
      await saveKernelRecord(known.record);
    } catch (error) {
      this.#emit({ kind: "warning", message: error instanceof Error ? error.message : String(error) });
    }
  }

  #choose(): void {
    const known = this.#known;
    if (known === null) return;
    const { record } = known;
    const { subgroupSize } = known.gpu;
    const auto = record === null ? chooseKernels("auto", subgroupSize) : tunedChoice(record, subgroupSize);
    const forced = this.#forced(known.gpu);
    const same = JSON.stringify(forced ?? auto) === JSON.stringify(known.choice);
    if (!same) known.choice = forced ?? auto;
    this.#tell();
  }

  /** Null: what suits the device, also where a setting of another adapter's cannot be run here. */
  #forced(gpu: Gpu): KernelChoice | null {
    return this.#setting === "auto" ? null : choiceOf(this.#setting, gpu);
  }

  #tell(): void {
    const known = this.#known;
    if (known === null) return;
    const { choice, record, products, gpu } = known;
    const setting = this.#forced(gpu) === null ? "auto" : this.#setting;
    const kernels = kernelReport(setting, choice, record, products, (each) => choiceOf(each, gpu) !== null);
    this.#emit({ kind: "kernels", kernels });
  }
}

/** What a setting comes to where nothing is measured; null where the device cannot run it. */
function choiceOf(setting: KernelSetting, { subgroupSize, hasF16 }: Gpu): KernelChoice | null {
  try {
    return chooseKernels(setting, subgroupSize, hasF16);
  } catch {
    return null;
  }
}
