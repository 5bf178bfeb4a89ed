import { test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { rowsCopy, rowsGather, rowsScatter, rowsScatterAdd } from "./rows.ts";
import { rowsCopyRef, rowsGatherRef, rowsScatterAddRef, rowsScatterRef } from "./rows.ref.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Values are moved, not computed. */
const EXACT = { tolerance: 0 };

// One vec4 a row, and more than the 64 of a workgroup.
test.each([1, 70])("gather, scatter and copy are their twins' on rows of %i vec4", async (c4) => {
  const random = new TestRandom(c4);
  const [all, count] = [9, 4];
  const index = Uint32Array.of(8, 0, 5, 3);
  const params = { count, c4, from0: 0, to0: 0 };
  const [full, few] = [random.normal(4 * c4 * all), random.normal(4 * c4 * count)];
  const gather = { input: full, index, output: garbage(few.length) };
  await expectTwin(queue, rowsGather, rowsGatherRef, gather, params, EXACT);
  const put = { input: few, index, output: full.slice() };
  await expectTwin(queue, rowsScatter, rowsScatterRef, put, params, EXACT);
  const scatter = { input: few, index, output: full.slice() };
  await expectTwin(queue, rowsScatterAdd, rowsScatterAddRef, scatter, params, { tolerance: 1e-7 });
  const copy = { input: full, destination: garbage(full.length) };
  await expectTwin(queue, rowsCopy, rowsCopyRef, copy, { ...params, from0: 2 * c4, to0: 5 * c4 }, EXACT);
});

test("scatter into zeros is the gradient of gather", () => {
  const random = new TestRandom(1);
  const params = { count: 2, c4: 1, from0: 0, to0: 0 };
  const index = Uint32Array.of(3, 1);
  const [input, output, cotangent] = [random.normal64(20), new Float64Array(8), random.normal64(8)];
  const gradient = new Float64Array(20);
  rowsScatterAddRef({ input: cotangent, index, output: gradient }, params, {});
  const forward = () => {
    rowsGatherRef({ input, index, output }, params, {});
    return output;
  };
  expectGradient("rows.gather input", forward, input, cotangent, gradient);
});
