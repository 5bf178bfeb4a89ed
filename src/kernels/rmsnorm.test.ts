import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { rmsnormBackward, rmsnormForward } from "./rmsnorm.ts";
import { rmsnormBackwardRef, rmsnormForwardRef } from "./rmsnorm.ref.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** A tree sum of squares, a square root and a division, each within a few units of 2⁻²⁴. */
const TOLERANCE = 2e-6;

// Fewer vec4 than lanes, a tail, and several a lane.
test.each([
  { rows: 1, C: 4 },
  { rows: 5, C: 300 },
  { rows: 3, C: 2048 },
])("forward and backward are their twins' at $rows × $C", async ({ rows, C }) => {
  const random = new TestRandom(C);
  const params = { C, eps: 1e-5, rows };
  const [x, weight] = [random.normal(rows * C, 3), random.normal(C)];
  const forward = { x, weight, y: garbage(rows * C), rstd: garbage(rows) };
  const shape = [rows, C];
  const written = await expectTwin(queue, rmsnormForward, rmsnormForwardRef, forward, params, {
    tolerance: TOLERANCE,
    shapes: { y: shape },
  });
  const saved = written.get("rstd") ?? garbage(rows);
  const backward = { x, weight, saved, dy: random.normal(rows * C), dx: random.normal(rows * C) };
  await expectTwin(queue, rmsnormBackward, rmsnormBackwardRef, backward, params, {
    tolerance: TOLERANCE,
    shapes: { dx: shape },
  });
});

test("a row of zeros stays finite: eps is under the root", async () => {
  const arrays = { x: new Float32Array(8), weight: new Float32Array(8).fill(1), y: garbage(8), rstd: garbage(1) };
  const params = { C: 8, eps: 1e-5, rows: 1 };
  const written = await expectTwin(queue, rmsnormForward, rmsnormForwardRef, arrays, params, { tolerance: TOLERANCE });
  expect(written.get("y")).toEqual(new Float32Array(8));
});

test("the twin's backward is the gradient of its forward, on top of what dx held", () => {
  const random = new TestRandom(1);
  const [rows, C] = [3, 8];
  const params = { C, eps: 1e-2, rows };
  const [x, weight, dy] = [random.normal64(rows * C), random.normal64(C), random.normal64(rows * C)];
  const [y, rstd] = [new Float64Array(rows * C), new Float64Array(rows)];
  const forward = () => {
    rmsnormForwardRef({ x, weight, y, rstd }, params, {});
    return y;
  };
  forward();
  const dx = new Float64Array(rows * C).fill(1);
  rmsnormBackwardRef({ x, weight, saved: rstd.slice(), dy, dx }, params, {});
  expectGradient(
    "rmsnorm.forward x",
    forward,
    x,
    dy,
    dx.map((value) => value - 1),
  );
});
