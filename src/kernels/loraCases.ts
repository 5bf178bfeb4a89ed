/** What every family of LoRA products must compute, for their tests. */
import { describe, test } from "vitest";
import type { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import type { loraDown, loraGrad, loraUp } from "./lora.ts";
import { loraDownRef, loraGradRef, loraUpRef } from "./lora.ref.ts";
import { garbage, TestRandom } from "./testRandom.ts";

/** Sums of at most 140 f32 products; their rounding errors come to about √140·2⁻²⁴ = 7e-7 of the rms. */
const TOLERANCE = 5e-6;

export const NO_DROPOUT = { seed: 0, threshold: 0, keep: 1 };
export const DROPOUT = { seed: 4_000_000_123, threshold: Math.round(0.3 * 2 ** 32), keep: 1 / 0.7 };

export const WITH_AND_WITHOUT_DROPOUT = [
  { name: "no dropout", dropout: NO_DROPOUT },
  { name: "dropout", dropout: DROPOUT },
];

interface LoraFamily {
  readonly down: typeof loraDown;
  readonly up: typeof loraUp;
  readonly grad: typeof loraGrad;
}

/** Defines the tests of a family. */
export function testLora(queue: CommandQueue, { down, up, grad }: LoraFamily): void {
  describe.each(WITH_AND_WITHOUT_DROPOUT)("lora, $name", ({ dropout }) => {
    // Columns and rows that leave tails in a tile or workgroup, and ranks of one, two and three vec4.
    test.each([
      { rows: 1, R: 4, C: 4 },
      { rows: 37, R: 8, C: 140 },
      { rows: 16, R: 12, C: 64 },
    ])("all three products are their twins' at $rows × $R × $C", async ({ rows, R, C }) => {
      const random = new TestRandom(C);
      const params = { rows, R, C, scale: 1.75, ...dropout };
      const [x, h, m] = [random.normal(rows * C), random.normal(rows * R), random.normal(R * C)];
      const tolerance = TOLERANCE;
      const ofDown = { x, m, out: garbage(rows * R) };
      await expectTwin(queue, down, loraDownRef, ofDown, params, { tolerance, shapes: { out: [rows, R] } });
      const ofUp = { h, m, out: random.normal(rows * C) };
      await expectTwin(queue, up, loraUpRef, ofUp, params, { tolerance, shapes: { out: [rows, C] } });
      const ofGrad = { h, xg: x, out: random.normal(R * C) };
      await expectTwin(queue, grad, loraGradRef, ofGrad, params, { tolerance, shapes: { out: [R, C] } });
    });
  });
}
