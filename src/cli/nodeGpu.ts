// WebGPU in Node: Dawn, from the npm package `webgpu` or from the dawn.node file that OBP_DAWN_NODE names.
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { GpuUnavailableError } from "../gpu/device.ts";

/** What a dawn.node file and the npm package both export. */
interface Dawn {
  create(options: string[]): GPU;
  readonly globals: object;
}

// NVIDIA's Vulkan driver has f16 that Dawn leaves off by default; other drivers ignore the toggle. Timestamps are rounded
// against spying pages, which Node does not show.
const dawnOptions = [
  "enable-dawn-features=vulkan_enable_f16_on_nvidia",
  "disable-dawn-features=timestamp_quantization",
];

/** Makes the GPU entry point and WebGPU's constants (GPUBufferUsage …) in the global scope. */
export async function nodeGpu(): Promise<GPU> {
  const dawn = await loadDawn();
  Object.assign(globalThis, dawn.globals);
  return dawn.create(dawnOptions);
}

async function loadDawn(): Promise<Dawn> {
  const file = process.env["OBP_DAWN_NODE"];
  try {
    if (file !== undefined && file !== "") {
      return createRequire(import.meta.url)(resolve(file)) as Dawn;
    }
    return await import("webgpu");
  } catch (error) {
    const where = file ?? "the npm package webgpu";
    const reason = error instanceof Error ? error.message : String(error);
    throw new GpuUnavailableError(
      `expected Dawn in ${where}, got ${reason} (npm install webgpu, or set OBP_DAWN_NODE)`,
      {
        cause: error,
      },
    );
  }
}
