import { expect, test } from "vitest";
import { fmaPeak } from "../kernels/fma_peak.ts";
import { rowsCopy } from "../kernels/rows.ts";
import { BufferPool } from "./buffers.ts";
import { testGpu } from "./nodeTestGpu.ts";
import { kernelTotals, Profiler } from "./profile.ts";
import { CommandQueue } from "./queue.ts";

const gpu = await testGpu();

test("every dispatch is timed, in order, and longer work takes longer", async () => {
  const profiler = Profiler.create(gpu);
  if (profiler === null) throw new Error(`expected timestamp queries on ${gpu.adapterName}, got none`);
  const queue = new CommandQueue(gpu);
  const pool = new BufferPool(gpu);
  const [a, b] = [pool.storage("a", 4096), pool.storage("b", 4096)];
  await queue.pipelines.prepare(fmaPeak);
  await queue.pipelines.prepare(rowsCopy);
  const copy = () => {
    queue.dispatch(rowsCopy, { input: a, destination: b }, { count: 1, c4: 1, from0: 0, to0: 0 });
  };
  const spin = (steps: number) => {
    queue.dispatch(fmaPeak, { sums: a }, { count: 256, steps, c: 0.7 });
  };
  spin(16);
  queue.profile(profiler);
  copy();
  spin(160_000);
  queue.flush();
  spin(16_000);
  queue.profile(null);
  spin(16);
  queue.flush();
  const times = await profiler.take();
  expect(times.map(({ kernel }) => kernel)).toEqual(["rows.copy", "fma_peak.run", "fma_peak.run"]);
  const lengths = times.map(({ start, end }) => end - start);
  expect(lengths.every((length) => length > 0)).toBe(true);
  expect(times.every(({ start }, i) => start >= (times[i - 1]?.end ?? 0))).toBe(true);
  expect(lengths[1]).toBeGreaterThan(2 * (lengths[2] ?? NaN));
  expect(kernelTotals(times)).toEqual([
    { kernel: "fma_peak.run", dispatches: 2, milliseconds: (lengths[1] ?? 0) + (lengths[2] ?? 0) },
    { kernel: "rows.copy", dispatches: 1, milliseconds: lengths[0] },
  ]);
  expect(await profiler.take()).toEqual([]);
  pool.destroy();
});

test("more dispatches than one set of queries holds", async () => {
  const profiler = Profiler.create(gpu);
  if (profiler === null) throw new Error(`expected timestamp queries on ${gpu.adapterName}, got none`);
  const queue = new CommandQueue(gpu);
  const pool = new BufferPool(gpu);
  const sums = pool.storage("sums", 4096);
  await queue.pipelines.prepare(fmaPeak);
  queue.profile(profiler);
  for (let i = 0; i < 2100; i++) {
    queue.dispatch(fmaPeak, { sums }, { count: 1, steps: 16, c: 0.7 });
  }
  queue.flush();
  const times = await profiler.take();
  expect(times.length).toBe(2100);
  expect(times.every(({ start, end }) => end >= start && start > 0)).toBe(true);
  pool.destroy();
});

test("a device without timestamp queries has no profiler", async () => {
  expect(Profiler.create(await testGpu({ limits: "default" }))).toBeNull();
});
