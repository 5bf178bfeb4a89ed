/** Opens a WebGPU device with the limits the engine can use, and says clearly when there is none. */

import type { GpuCapacity } from "./capacity.ts";
import { chooseKernels, type KernelChoice, type KernelFeatures, type KernelSetting } from "./kernelChoice.ts";
import { MemoryCount } from "./memoryCount.ts";

export type AdapterKind = "auto" | "gpu" | "software";

/** An opened device and what is known about it. */
export interface Gpu extends KernelFeatures {
  readonly device: GPUDevice;
  /** Human-readable adapter name, e.g. "llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)". Every reported figure carries it. */
  readonly adapterName: string;
  /** All that the adapter tells of itself, its driver and its lanes: what was measured on it holds for no other. */
  readonly adapterIdentity: string;
  /** True for CPU rasterisers (lavapipe, SwiftShader, WARP): other kernel variants and submit sizes pay there. */
  readonly isSoftware: boolean;
  /** Memory that the engine may take; another one counts for what is planned from then on. */
  capacity: GpuCapacity;
  /** Another one counts for what is prepared from then on (Llama.useKernels). */
  kernels: KernelChoice;
  /** What all pools hold. */
  readonly allocated: MemoryCount;
  readonly lost: Promise<GPUDeviceLostInfo>;
  /**
   * The first error that the device reported since the last call (out of memory, a command refused), or null. After one,
   * buffers may not exist and commands may not have run, and reading back gives zeros without a word.
   */
  takeError(): GpuError | null;
  destroy(): void;
}

export class GpuUnavailableError extends Error {
  override readonly name = "GpuUnavailableError";
}

/** The device could not do what it was asked: one sentence. */
export class GpuError extends Error {
  override readonly name = "GpuError";
}

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|softpipe|warp|basic render/i;

/** Dawn aborts the process when an instance, adapter or device in use is garbage-collected in Node. */
const keptAlive = new Set<unknown>();

export interface GpuOptions {
  readonly kind?: AdapterKind;
  /** "default": only what WebGPU guarantees on every adapter, neither higher limits nor features. */
  readonly limits?: "adapter" | "default";
  readonly memory?: KnownMemory;
  readonly kernels?: KernelSetting;
}

/** What is known of a device's memory, bytes. */
export interface KnownMemory {
  /** The user's word. */
  readonly setting?: number | undefined;
  /** Main memory: what a software adapter has. */
  readonly machine?: number | undefined;
}

/**
 * Opens a device on the adapter of the asked kind.
 * @throws GpuUnavailableError naming what is missing and what to do.
 */
export async function openGpu(api: GPU | undefined, options: GpuOptions = {}): Promise<Gpu> {
  if (api === undefined) {
    throw new GpuUnavailableError(
      "expected WebGPU, got a browser or runtime without it (use a current Chrome or Edge)",
    );
  }
  const kind = options.kind ?? "auto";
  // Dawn knows SwiftShader as a fallback adapter but not lavapipe, which it offers as an ordinary one.
  const fallback = kind === "software" ? await api.requestAdapter({ forceFallbackAdapter: true }) : null;
  const adapter = fallback ?? (await api.requestAdapter({ powerPreference: "high-performance" }));
  if (adapter === null) {
    throw new GpuUnavailableError(
      `expected a WebGPU adapter of kind ${kind}, got none (install or enable a GPU driver)`,
    );
  }
  const { vendor, device: model, description } = adapter.info;
  // Browsers often leave the description empty: then vendor and architecture say what it is.
  const named = description !== "" ? description : [vendor, adapter.info.architecture, model].join(" ").trim();
  const adapterName = named === "" ? "unknown adapter" : named;
  const isSoftware = SOFTWARE.test(`${description} ${model} ${vendor} ${adapter.info.architecture}`);
  if ((kind === "gpu" && isSoftware) || (kind === "software" && !isSoftware)) {
    throw new GpuUnavailableError(
      `expected an adapter of kind ${kind}, got ${adapterName} (choose --adapter-kind auto)`,
    );
  }
  const device = await adapter.requestDevice(options.limits === "default" ? {} : allOf(adapter));
  const subgroupSize = device.features.has("subgroups") ? (adapter.info.subgroupMinSize ?? 0) : 0;
  const hasF16 = device.features.has("shader-f16");
  const references = [api, adapter, device];
  for (const reference of references) {
    keptAlive.add(reference);
  }
  let firstError: GpuError | null = null;
  device.addEventListener("uncapturederror", ({ error }) => {
    firstError ??= describeError(error, adapterName);
  });
  return {
    device,
    adapterName,
    adapterIdentity: [adapterName, vendor, adapter.info.architecture, model, `lanes ${subgroupSize}`].join(", "),
    isSoftware,
    capacity: capacityOf(device, isSoftware, options.memory ?? {}),
    allocated: new MemoryCount(),
    kernels: chooseKernels(options.kernels ?? "auto", subgroupSize, hasF16),
    subgroupSize,
    hasF16,
    lost: device.lost,
    takeError: () => {
      const error = firstError;
      firstError = null;
      return error;
    },
    destroy: () => {
      device.destroy();
      keptAlive.delete(device);
    },
  };
}

export function capacityOf(device: GPUDevice, isSoftware: boolean, { setting, machine }: KnownMemory): GpuCapacity {
  if (setting !== undefined) {
    return { bytes: setting, source: "setting" };
  }
  if (isSoftware && machine !== undefined) {
    return { bytes: machine, source: "machine" };
  }
  return { bytes: device.limits.maxBufferSize, source: "largest buffer" };
}

function describeError(error: GPUError, adapterName: string): GpuError {
  const hint =
    error.constructor.name === "GPUOutOfMemoryError"
      ? "the GPU is out of memory: close other programs, or choose a smaller model or shorter sentences"
      : "this is a mistake in the engine: report it";
  return new GpuError(`expected ${adapterName} to take every command, got ${error.message} (${hint})`, {
    cause: error,
  });
}

/** The features and limits of an adapter that the engine can use. */
function allOf({ features, limits }: GPUAdapter): GPUDeviceDescriptor {
  const wanted: GPUFeatureName[] = ["timestamp-query", "shader-f16", "subgroups"];
  return {
    requiredFeatures: wanted.filter((feature) => features.has(feature)),
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    },
  };
}
