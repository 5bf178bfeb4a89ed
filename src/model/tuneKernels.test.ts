import { expect, test } from "vitest";
import { BufferPool } from "../gpu/buffers.ts";
import { chooseKernels } from "../gpu/kernelChoice.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { randomMatrix } from "./randomModel.ts";
import { fittingRecord, isComplete, tuneKernels } from "./tuneKernels.ts";

const gpu = await testGpu();

test("every direction and class of rows of a layout gets kernels that the device can run", async () => {
  const queue = new CommandQueue(gpu);
  const pool = new BufferPool(gpu);
  const matrix = await randomMatrix(queue, pool, { name: "w", type: "Q4_0", shape: [40, 64] }, 1);
  const before = gpu.kernels;
  expect(isComplete(before, [matrix])).toBe(false);
  const choice = await tuneKernels(queue, [matrix], undefined, 100);
  expect(Object.keys(choice.tuned).sort()).toEqual([
    ...["backward q4 symmetric few", "backward q4 symmetric many"],
    ...["forward q4 symmetric few", "forward q4 symmetric many", "forward q4 symmetric one"],
  ]);
  expect(isComplete(choice, [matrix])).toBe(true);
  expect(gpu.kernels).toBe(before);
  queue.release(pool);
});

test("a record of another driver, version or other kernels is discarded", () => {
  const own = { adapter: "card: driver 2", version: "1", sources: "ab" };
  const record = { ...own, choice: chooseKernels("auto", 0) };
  expect(fittingRecord(record, own)).toBe(record);
  expect(fittingRecord({ ...record, adapter: "card: driver 1" }, own)).toBeNull();
  expect(fittingRecord({ ...record, version: "0" }, own)).toBeNull();
  expect(fittingRecord({ ...record, sources: "cd" }, own)).toBeNull();
  expect(fittingRecord(null, own)).toBeNull();
});
