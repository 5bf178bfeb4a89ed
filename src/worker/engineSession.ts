// What the worker holds between requests: the device, the open model and its weights on the GPU, the adapter in use.

import type { GpuCapacity } from "../gpu/capacity.ts";
import { capacityOf, GpuUnavailableError, openGpu, type Gpu, type KnownMemory } from "../gpu/device.ts";
import { readPeft } from "../model/adapters/peft.ts";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { adapterOf, readState } from "../storage/adapterStore.ts";
import { KernelTuning } from "./kernelTuning.ts";
import { weightsFit } from "./memory.ts";
import type { OpenModel } from "./modelFacts.ts";
import { ModelLoad } from "./modelLoad.ts";
import { throttle } from "./throttle.ts";
import type { GpuProblem, GpuReport, GpuState, ModelState, StudioEvent } from "./protocol.ts";

/** Features and limits that say what the engine can do here. */
const SHOWN_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
] as const satisfies readonly (keyof GPUSupportedLimits)[];

export class EngineSession {
  gpuState: GpuState = { kind: "opening" };
  modelState: ModelState = { kind: "none" };
  model: OpenModel | null = null;
  /** The device went away on its own; jobs stop at once. */
  lost: string | null = null;
  readonly kernels: KernelTuning;
  readonly #api: GPU | undefined;
  readonly #emit: (event: StudioEvent) => void;
  #gpu: Gpu | null = null;
  /** Set by the user, bytes; null: what the device tells. */
  #memory: number | null = null;
  #load: ModelLoad | null = null;
  /** Jobs that wait for it. */
  #waiting = 0;
  #lora: { state: string; lora: Lora } | null = null;

  constructor(api: GPU | undefined, emit: (event: StudioEvent) => void) {
    this.#api = api;
    this.#emit = emit;
    this.kernels = new KernelTuning(emit);
  }

  async openGpu(): Promise<void> {
    this.#setGpu({ kind: "opening" });
    const start = performance.now();
    try {
      const gpu = await openGpu(this.#api, { memory: this.#knownMemory() });
      performance.measure("obp: GPU", { start });
      await this.kernels.open(gpu);
      this.#gpu = gpu;
      this.lost = null;
      void gpu.lost.then(({ message }) => {
        if (this.#gpu === gpu) this.#onLost(message);
      });
      this.#setGpu({ kind: "ready", report: report(gpu) });
      this.#warm();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#setGpu({ kind: "unavailable", problem: this.#problem(error), message });
    }
  }

  /** The memory that the engine may take; null where there is no device. */
  get capacity(): GpuCapacity | null {
    return this.#gpu?.capacity ?? null;
  }

  setMemory(bytes: number | null): void {
    this.#memory = bytes;
    if (this.#gpu !== null && this.gpuState.kind === "ready") {
      this.#gpu.capacity = capacityOf(this.#gpu.device, this.#gpu.isSoftware, this.#knownMemory());
      this.#setGpu({ kind: "ready", report: report(this.#gpu) });
    }
  }

  get gpu(): Gpu {
    if (this.#gpu === null) {
      const message = this.gpuState.kind === "unavailable" ? this.gpuState.message : this.lost;
      throw new GpuUnavailableError(message ?? "expected an open GPU, got none (open it again in the top bar)");
    }
    return this.#gpu;
  }

  get openModel(): OpenModel {
    if (this.model === null) throw new Error("expected an open model, got none (open one under Models)");
    return this.model;
  }

  /** Takes another model; the weights of the one before leave the GPU. */
  setModel(model: OpenModel): void {
    this.#freeWeights();
    this.model = model;
    this.setModelState({ kind: "open", facts: model.facts, gpuBytes: 0 });
    this.#warm();
  }

  setModelState(state: ModelState): void {
    this.modelState = state;
    this.#emit({ kind: "model", model: state });
  }

  /**
   * The open model's weights on the GPU; where they are on their way already, what is left of it is waited for.
   * @throws the signal's reason where it aborts
   */
  async llama(signal: AbortSignal): Promise<Llama> {
    this.#emit({ kind: "phase", phase: "loading the model" });
    this.#waiting++;
    try {
      const llama = await (this.#load ?? this.#startLoad(signal)).wait(signal);
      await this.kernels.apply(llama);
      return llama;
    } finally {
      this.#waiting--;
    }
  }

  /** A saved adapter on the GPU, in one of its states; null for the model as it came. */
  async lora(llama: Llama, state: string | null): Promise<Lora | null> {
    if (state === null) return null;
    if (this.#lora?.state === state) return this.#lora.lora;
    this.forgetLora();
    const { configJson, weights } = await readState(state);
    const lora = Lora.fromWeights(llama, readPeft(configJson, weights).weights);
    this.#lora = { state, lora };
    return lora;
  }

  /** After an adapter has changed or gone. */
  forgetLora(id?: string): void {
    if (this.#lora === null || (id !== undefined && adapterOf(this.#lora.state) !== id)) return;
    this.#lora.lora.destroy();
    this.#lora = null;
  }

  /** Begins to load what the user opened, so that the first prompt need not wait; where memory is short, not unasked. */
  #warm(): void {
    if (this.#gpu === null || this.model === null || this.#load !== null) return;
    if (weightsFit(this.model.gguf, this.model.config, this.#gpu.capacity)) this.#startLoad(null);
  }

  /** @param signal of the job that asked for it; null: nobody did */
  #startLoad(signal: AbortSignal | null): ModelLoad {
    const began = performance.now();
    const show = throttle((done: number, total: number) => {
      this.#setLoaded({ gpuBytes: 0, loading: done / total });
      if (this.#waiting > 0) this.#emit({ kind: "progress", done, total, unit: "bytes" });
    });
    this.kernels.beforeLoad();
    const onProgress = (done: number, total: number): void => {
      if (this.#load === load) show(done, total);
    };
    const load = new ModelLoad(this.gpu, this.openModel, signal, onProgress, (llama, either) =>
      this.kernels.afterLoad(llama, either),
    );
    this.#load = load;
    load.llama.then(
      (llama) => {
        if (this.#load !== load) return;
        this.#setLoaded({ gpuBytes: llama.gpuBytes, loadSeconds: (performance.now() - began) / 1000 });
        // A training that follows awaits the same pipelines and hears of errors. Without a GPU, compiling would take
        // the processor from what the user asked for.
        if (!llama.queue.gpu.isSoftware) llama.prepareTraining().catch(() => undefined);
      },
      () => {
        if (this.#load !== load) return;
        this.#load = null;
        this.#setLoaded({ gpuBytes: 0 });
      },
    );
    return load;
  }

  #setLoaded(loaded: Pick<Extract<ModelState, { kind: "open" }>, "gpuBytes" | "loading" | "loadSeconds">): void {
    // While another model is being opened its progress is shown.
    if (this.model !== null && this.modelState.kind === "open") {
      this.setModelState({ kind: "open", facts: this.modelState.facts, ...loaded });
    }
  }

  #freeWeights(): void {
    this.forgetLora();
    this.#load?.cancel();
    this.#load = null;
  }

  #onLost(reason: string): void {
    const hint = "it may have been reset, or be out of memory";
    const message = `The GPU stopped answering (${reason === "" ? hint : reason}). Labels and saved adapters are safe.`;
    this.lost = message;
    this.#gpu = null;
    this.#load?.cancel();
    this.#load = null;
    this.#lora = null;
    this.kernels.close();
    this.gpuState = { kind: "lost", message };
    this.#emit({ kind: "deviceLost", message });
    if (this.model !== null) this.setModelState({ kind: "open", facts: this.model.facts, gpuBytes: 0 });
  }

  #setGpu(state: GpuState): void {
    this.gpuState = state;
    this.#emit({ kind: "gpu", gpu: state });
  }

  #knownMemory(): KnownMemory {
    // Rounded, and capped by the browser; what a software adapter can have.
    const gigabytes =
      "deviceMemory" in navigator && typeof navigator.deviceMemory === "number" ? navigator.deviceMemory : null;
    return {
      setting: this.#memory ?? undefined,
      machine: gigabytes === null ? undefined : gigabytes * 2 ** 30,
    };
  }

  #problem(error: unknown): GpuProblem {
    if (this.#api === undefined) return self.isSecureContext ? "unsupported" : "insecure";
    return error instanceof GpuUnavailableError ? "no-adapter" : "failed";
  }
}

function report({ adapterName, isSoftware, device, capacity }: Gpu): GpuReport {
  return {
    capacity,
    adapterName,
    isSoftware,
    features: [...device.features].sort(),
    limits: Object.fromEntries(SHOWN_LIMITS.map((name) => [name, device.limits[name]])),
  };
}
