import { test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import { expectGradient } from "./gradientCheck.ts";
import { ropeRotate } from "./rope.ts";
import { ropeRotateRef } from "./rope.ref.ts";
import { TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Two products and a sum. */
const TOLERANCE = 5e-7;

/** (cos, sin) of position·10000^(−2i/D), as (positions, D/2, 2). */
function table(positions: number, D: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: positions * D }, (_, i) => {
    const angle = Math.floor(i / D) * 10000 ** (-(2 * Math.floor((i % D) / 2)) / D);
    return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
  });
}

test.each([
  { rows: 1, heads: 1, D: 4, sign: 1 },
  { rows: 7, heads: 3, D: 64, sign: 1 },
  { rows: 7, heads: 3, D: 64, sign: -1 },
])("rotate is its twin's: $rows rows, $heads heads of $D, sign $sign", async (shape) => {
  const { rows, heads, D, sign } = shape;
  const random = new TestRandom(D);
  const width = heads * D;
  // Positions start again, as where several prompts share a batch.
  const positions = Uint32Array.from({ length: rows }, (_, row) => (row < 4 ? row + 40 : row - 4));
  const arrays = { x: random.normal(rows * width), table: table(48, D), positions };
  await expectTwin(queue, ropeRotate, ropeRotateRef, arrays, { rows, width, D, sign }, { tolerance: TOLERANCE });
});

test("sign −1 is the gradient of sign 1", () => {
  const random = new TestRandom(1);
  const [rows, D, width] = [3, 4, 8];
  const params = { rows, width, D, sign: 1 };
  const [x, dy] = [random.normal64(rows * width), random.normal64(rows * width)];
  const angles = { table: table(9, D), positions: Uint32Array.of(8, 0, 3) };
  const dx = dy.slice();
  ropeRotateRef({ x: dx, ...angles }, { ...params, sign: -1 }, {});
  const forward = () => {
    const y = x.slice();
    ropeRotateRef({ x: y, ...angles }, params, {});
    return y;
  };
  expectGradient("rope.rotate x", forward, x, dy, dx);
});
