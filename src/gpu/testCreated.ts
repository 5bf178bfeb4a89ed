/** Test helper: what a device is asked to create. */
import { vi } from "vitest";
import type { Gpu } from "./device.ts";

/** The calls of the device's methods that create something, by name, while `work` runs. */
export async function created({ device }: Gpu, work: () => Promise<unknown>): Promise<string[]> {
  const calls: string[] = [];
  const spies = [
    vi.spyOn(device, "createBuffer").mockName("buffer"),
    vi.spyOn(device, "createBindGroup").mockName("bind group"),
    vi.spyOn(device, "createComputePipelineAsync").mockName("pipeline"),
    vi.spyOn(device, "createComputePipeline").mockName("pipeline"),
    vi.spyOn(device, "createShaderModule").mockName("module"),
  ];
  try {
    await work();
    for (const spy of spies) {
      calls.push(...spy.mock.calls.map(([descriptor]) => `${spy.getMockName()} ${descriptor.label ?? ""}`));
    }
  } finally {
    spies.forEach((spy) => spy.mockRestore());
  }
  return calls;
}
