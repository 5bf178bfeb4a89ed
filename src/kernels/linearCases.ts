/** What every family of linear kernels must compute, for their tests: all layouts, odd shapes, parts, and what lies past. */
import { describe, test } from "vitest";
import type { KernelDefinition } from "../gpu/kernel.ts";
import type { CommandQueue } from "../gpu/queue.ts";
import { expectTwin } from "./expectTwin.ts";
import { randomWeights, WEIGHT_VARIANTS } from "./randomWeights.ts";
import { garbage, TestRandom } from "./testRandom.ts";
import type { KernelTwin } from "./twin.ts";

/** Sums of up to 512 f32 products: the rounding errors add up like √512·2⁻²⁴ of the terms, about 1.4e-6 of the rms. */
export const LINEAR_TOLERANCE = 1e-5;

interface KernelAndTwin<K extends KernelDefinition> {
  readonly kernel: K;
  readonly twin: KernelTwin<KernelDefinition>;
  readonly constants?: Readonly<Record<string, number>>;
}

export interface LinearFamily {
  readonly forward: readonly KernelAndTwin<KernelDefinition>[];
  readonly backward: readonly KernelAndTwin<KernelDefinition>[];
  readonly tolerance?: number;
}

/** A kernel and its twin. */
export function pair<B extends string, P extends string>(
  kernel: KernelDefinition<B, P>,
  twin: KernelTwin<KernelDefinition<B, P>>,
  constants: Readonly<Record<string, number>> = {},
): KernelAndTwin<KernelDefinition> {
  return {
    kernel: kernel,
    twin: twin,
    constants,
  };
}

/** Rows with and without a tail of a tile; N that needs padding, and K that fills several workgroups. */
function shapesOf(variant: (typeof WEIGHT_VARIANTS)[number]) {
  const largeK = variant.name === "q4k" || variant.name === "q8 halves" ? 512 : 320;
  const smallK = { q4: 32, "q4 symmetric": 96, q4k: 256, q8: 32, "q8 halves": 256, f32: 20 }[variant.name];
  return [
    { rows: 1, N: 8, K: smallK },
    { rows: 7, N: 77, K: smallK },
    { rows: 12, N: 24, K: largeK },
  ];
}

/** Defines the tests of a family. */
export function testLinear(
  queue: CommandQueue,
  { forward, backward, tolerance = LINEAR_TOLERANCE }: LinearFamily,
): void {
  const run = async (
    { kernel, twin, constants: own }: KernelAndTwin<KernelDefinition>,
    arrays: Readonly<Record<string, Float32Array | Uint32Array>>,
    params: Readonly<Record<string, number>>,
    layout: Readonly<Record<string, number>>,
    shapes: Readonly<Record<string, readonly number[]>>,
  ): Promise<Map<string, Float32Array>> => {
    const constants = { ...layout, ...own };
    const options = { tolerance, constants, shapes };
    return expectTwin(queue, kernel, twin, arrays, params, options);
  };
  describe.each(WEIGHT_VARIANTS)("$name weights", (variant) => {
    const { constants } = variant;

    test("forward is its twin's, over garbage", async () => {
      const random = new TestRandom(1);
      for (const { rows, N, K } of shapesOf(variant)) {
        const { words, scales, Np } = randomWeights(random, variant, N, K);
        const x = random.normal(rows * K);
        const params = { rows, K, N, Np, n0: 0, stride: N, accumulate: 0 };
        for (const each of forward) {
          const arrays = { x, words, scales, y: garbage(rows * N) };
          await run(each, arrays, params, constants, { y: [rows, N] });
        }
      }
    });

    test("forward writes one part of a wider row, and adds to it", async () => {
      const random = new TestRandom(2);
      const [rows, N, K, n0, stride] = [5, 13, 256, 8, 24];
      const { words, scales, Np } = randomWeights(random, variant, N, K);
      for (const each of forward) {
        for (const accumulate of [0, 1]) {
          const y = accumulate === 1 ? random.normal(rows * stride) : garbage(rows * stride);
          const arrays = { x: random.normal(rows * K), words, scales, y };
          const params = { rows, K, N, Np, n0, stride, accumulate };
          await run(each, arrays, params, constants, { y: [rows, stride] });
        }
      }
    });

    test("backward is its twin's, over garbage", async () => {
      const random = new TestRandom(3);
      for (const { rows, N, K } of shapesOf(variant)) {
        const { words, scales, Np } = randomWeights(random, variant, N, K);
        for (const each of backward) {
          // dY is read in vectors of 4: its rows are a multiple of 4 long, as logits' are.
          const dy = random.normal(rows * Np);
          const arrays = { dy, words, scales, dx: garbage(rows * K) };
          const params = { rows, K, N, Np, n0: 0, stride: Np, accumulate: 0 };
          await run(each, arrays, params, constants, { dx: [rows, K] });
        }
      }
    });

    test("backward adds over the parts of a split weight", async () => {
      const random = new TestRandom(4);
      const [rows, K, stride] = [5, 256, 32];
      const dy = random.normal(rows * stride);
      for (const each of backward) {
        let dx = garbage(rows * K);
        for (const [n0, N] of [
          [0, 16],
          [16, 13],
        ] as const) {
          const { words, scales, Np } = randomWeights(random, variant, N, K);
          const params = { rows, K, N, Np, n0, stride, accumulate: n0 === 0 ? 0 : 1 };
          const arrays = { dy, words, scales, dx };
          const written = await run(each, arrays, params, constants, { dx: [rows, K] });
          dx = new Float32Array(written.get("dx") ?? []);
        }
      }
    });
  });
}
