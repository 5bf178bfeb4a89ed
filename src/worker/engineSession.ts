// What the worker holds between requests: the device, the open model and its weights on the GPU, the adapter in use.

import type { GpuCapacity } from "../gpu/capacity.ts";
import { capacityOf, GpuUnavailableError, openGpu, type Gpu, type KnownMemory } from "../gpu/device.ts";
import { readPeft } from "../model/adapters/peft.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { readAdapter } from "../storage/adapterStore.ts";
import { embeddingLeaves } from "./memory.ts";
import type { OpenModel } from "./modelFacts.ts";
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
  readonly #api: GPU | undefined;
  readonly #emit: (event: StudioEvent) => void;
  #gpu: Gpu | null = null;
  /** Set by the user, bytes; null: what the device tells. */
  #memory: number | null = null;
  #llama: Llama | null = null;
  #lora: { id: string; lora: Lora } | null = null;

  constructor(api: GPU | undefined, emit: (event: StudioEvent) => void) {
    this.#api = api;
    this.#emit = emit;
  }

  async openGpu(): Promise<void> {
    this.#setGpu({ kind: "opening" });
    try {
      const gpu = await openGpu(this.#api, { memory: this.#knownMemory() });
      this.#gpu = gpu;
      this.lost = null;
      void gpu.lost.then(({ message }) => {
        if (this.#gpu === gpu) this.#onLost(message);
      });
      this.#setGpu({ kind: "ready", report: report(gpu) });
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
  }

  setModelState(state: ModelState): void {
    this.modelState = state;
    this.#emit({ kind: "model", model: state });
  }

  /** The open model's weights on the GPU, loaded on first use. */
  async llama(signal: AbortSignal): Promise<Llama> {
    if (this.#llama !== null) return this.#llama;
    const { gguf, config, facts } = this.openModel;
    this.#emit({ kind: "phase", phase: "loading the model" });
    const llama = await Llama.load(this.gpu, gguf, {
      signal,
      embeddingInFile: embeddingLeaves(gguf, config, this.gpu.capacity),
      onProgress: throttle((done, total) => this.#emit({ kind: "progress", done, total, unit: "bytes" })),
    });
    this.#llama = llama;
    // A training that follows awaits the same pipelines and hears of errors. Without a GPU, compiling would take the
    // processor from what the user asked for.
    if (!this.gpu.isSoftware) llama.prepareTraining().catch(() => undefined);
    this.setModelState({ kind: "open", facts, gpuBytes: llama.gpuBytes });
    return llama;
  }

  /** A saved adapter on the GPU; null for the model as it came. */
  async lora(llama: Llama, id: string | null): Promise<Lora | null> {
    if (id === null) return null;
    if (this.#lora?.id === id) return this.#lora.lora;
    this.forgetLora();
    const { record, weights } = await readAdapter(id);
    const lora = Lora.fromWeights(llama, readPeft(record.configJson, weights).weights);
    this.#lora = { id, lora };
    return lora;
  }

  /** After an adapter has changed or gone. */
  forgetLora(id?: string): void {
    if (this.#lora === null || (id !== undefined && this.#lora.id !== id)) return;
    this.#lora.lora.destroy();
    this.#lora = null;
  }

  #freeWeights(): void {
    this.forgetLora();
    this.#llama?.destroy();
    this.#llama = null;
  }

  #onLost(reason: string): void {
    const hint = "it may have been reset, or be out of memory";
    const message = `The GPU stopped answering (${reason === "" ? hint : reason}). Labels and saved adapters are safe.`;
    this.lost = message;
    this.#gpu = null;
    this.#llama = null;
    this.#lora = null;
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
