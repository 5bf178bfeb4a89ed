import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { expectTwin } from "./expectTwin.ts";
import { halvesPack, halvesUnpack } from "./halves.ts";
import { halvesPackRef, halvesUnpackRef } from "./halves.ref.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const gpu = await testGpu({ limits: "default" });
const queue = new CommandQueue(gpu);

/** One unit in the last of f16's 11 bits: a device may round either way. */
const TOLERANCE = 2 ** -10;

/** Numbers of every size that a residual stream has, and those at f16's ends. */
function numbers(count: number): Float32Array<ArrayBuffer> {
  const random = new TestRandom(count);
  const x = Float32Array.from({ length: count }, () => random.uniform(-2, 2) * 2 ** random.uniform(-12, 14));
  x.set([65504, -65504, 70000, -1e30, 0, 1, -2049, 2 ** -14].slice(0, count));
  return x;
}

test.each([1, 64, 333])("%i vec4 go to f16 and come back", async (count4) => {
  const x = numbers(4 * count4);
  const packed = new Uint32Array(2 * count4);
  const floats = (await runKernel(queue, halvesPack, { x, packed }, { count4 })).get("packed") ?? x;
  const halves = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const y = garbage(4 * count4);
  const written = await expectTwin(queue, halvesUnpack, halvesUnpackRef, { halves, y }, { count4 }, { tolerance: 0 });
  const own = new Uint32Array(2 * count4);
  halvesPackRef({ x, packed: own }, { count4 }, {});
  const expected = new Float64Array(4 * count4);
  halvesUnpackRef({ halves: own, y: expected }, { count4 }, {});
  const back = Array.from(written.get("y") ?? []);
  expect(back).toHaveLength(4 * count4);
  x.forEach((value, i) => {
    const cut = Math.min(65504, Math.max(-65504, value));
    const twin = expected[i] ?? NaN;
    // The twin rounds to the nearest.
    expect(Math.abs(twin - cut)).toBeLessThanOrEqual(Math.abs(cut) * (TOLERANCE / 2) + 2 ** -25);
    expect(Math.abs((back[i] ?? NaN) - twin)).toBeLessThanOrEqual(Math.abs(twin) * TOLERANCE + 2 ** -14);
  });
});
