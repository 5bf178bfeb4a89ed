import { create } from "webgpu";
import { describe, expect, test } from "vitest";
import { GpuUnavailableError, openGpu } from "./device.ts";
import { testGpu } from "./nodeTestGpu.ts";

const gpu = await testGpu();

describe("openGpu", () => {
  test("opens what the adapter has, and names it", () => {
    expect(gpu.adapterName).not.toBe("unknown adapter");
    expect(gpu.device.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 << 20);
  });

  test("can keep to WebGPU's default limits", async () => {
    const small = await testGpu({ limits: "default" });
    expect(small.device.limits.maxBufferSize).toBe(256 << 20);
    expect(small.device.limits.maxStorageBufferBindingSize).toBe(128 << 20);
    expect(small.device.features.has("timestamp-query")).toBe(false);
  });

  test("kernels that need f16, where there is none: says what to choose", async () => {
    const asked = openGpu(create([]), { limits: "default", kernels: "tiled-f16" });
    await expect(asked).rejects.toThrow('expected the feature shader-f16 for the kernels "tiled-f16", got neither');
  });

  test("without WebGPU: says what is missing and what to do", async () => {
    await expect(openGpu(undefined)).rejects.toThrow(GpuUnavailableError);
    await expect(openGpu(undefined)).rejects.toThrow("expected WebGPU, got a browser or runtime without it (use");
  });

  test("without an adapter", async () => {
    const none = create([`backend=${process.platform === "win32" ? "metal" : "d3d12"}`]);
    await expect(openGpu(none)).rejects.toThrow(GpuUnavailableError);
    await expect(openGpu(none)).rejects.toThrow("expected a WebGPU adapter of kind auto, got none (install");
  });

  test("with an adapter of the other kind: names it", async () => {
    const other = gpu.isSoftware ? "gpu" : "software";
    await expect(openGpu(create([]), { kind: other })).rejects.toThrow(GpuUnavailableError);
    await expect(openGpu(create([]), { kind: gpu.isSoftware ? "software" : "gpu" })).resolves.toMatchObject({
      adapterName: gpu.adapterName,
    });
  });
});
