/** The WebGPU device that tests in Node share: Dawn on this machine's adapter. Any uncaptured GPU error fails the test. */
import { create, globals } from "webgpu";
import { afterAll, afterEach, expect } from "vitest";
import { type Gpu, type GpuOptions, openGpu } from "./device.ts";

/** Opens a device for a test file, closed when the file's tests are done. Fails where there is no adapter. */
export async function testGpu(options: GpuOptions = {}): Promise<Gpu> {
  Object.assign(globalThis, globals);
  const gpu = await openGpu(create([]), options);
  const errors: string[] = [];
  gpu.device.addEventListener("uncapturederror", (event) => errors.push(event.error.message));
  afterEach(() => {
    expect(errors.splice(0)).toEqual([]);
  });
  afterAll(() => {
    gpu.destroy();
  });
  return gpu;
}
