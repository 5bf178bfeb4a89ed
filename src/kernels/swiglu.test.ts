import { expect, test } from "vitest";
import { BufferPool } from "../gpu/buffers.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { swigluBackward, swigluForward } from "./swiglu.ts";
import { swigluBackwardRef, swigluForwardRef } from "./swiglu.ref.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const gpu = await testGpu({ limits: "default" });
const queue = new CommandQueue(gpu);

/** A chain of five operations; WGSL allows exp an error of 3 + 2·|x| units in the last place, |x| here mostly below 6. */
const TOLERANCE = 5e-6;

test.each([1, 64, 333])("forward and backward are their twins' on %i vec4", async (count4) => {
  const random = new TestRandom(count4);
  const [g, u, dh] = [random.normal(4 * count4, 2), random.normal(4 * count4), random.normal(4 * count4)];
  // Saturated gates: exp overflows or underflows, and the result must still be g·u or 0.
  g.set([100, -100, 20, -20]);
  const forward = { g, u, h: garbage(4 * count4) };
  await expectTwin(queue, swigluForward, swigluForwardRef, forward, { count4 }, { tolerance: TOLERANCE });
  const backward = { gate: g, upward: u, dh };
  await expectTwin(queue, swigluBackward, swigluBackwardRef, backward, { count4 }, { tolerance: TOLERANCE });
});

test("elements past the first row of workgroups are computed too", async () => {
  // 65,535 workgroups a dimension × 64 lanes, and three more elements: 67 MB a buffer, of which the last are checked.
  const count4 = 65535 * 64 + 3;
  const pool = new BufferPool(gpu);
  const [g, h] = [pool.storage("g", 16 * count4), pool.storage("h", 16 * count4)];
  const last = 16 * (count4 - 4);
  const values = new TestRandom(1).normal(16);
  await queue.pipelines.prepare(swigluForward);
  queue.write(g, last, values);
  queue.dispatch(swigluForward, { g, u: g, h }, { count4 });
  const actual = new Float32Array(await queue.read(h, last));
  const expected = new Float64Array(16);
  swigluForwardRef({ g: values, u: values, h: expected }, { count4: 4 }, {});
  pool.destroy();
  expect(actual.length).toBe(16);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 5));
});

test("the twin's backward is the gradient of its forward in both inputs", () => {
  const random = new TestRandom(2);
  const count4 = 3;
  const [g, u, dh] = [random.normal64(12), random.normal64(12), random.normal64(12)];
  const h = new Float64Array(12);
  const forward = () => {
    swigluForwardRef({ g, u, h }, { count4 }, {});
    return h;
  };
  const [gate, upward] = [g.slice(), u.slice()];
  swigluBackwardRef({ gate, upward, dh }, { count4 }, {});
  expectGradient("swiglu.forward g", forward, g, dh, gate);
  expectGradient("swiglu.forward u", forward, u, dh, upward);
});
