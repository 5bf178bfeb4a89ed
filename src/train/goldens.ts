/** Test helper: the golden files that reference/make_goldens.py writes, and the adapter they were made with. */
import { readFileSync } from "node:fs";
import {
  LORA_TARGETS,
  type LoraTarget,
  type LoraTensor,
  type LoraWeights,
  loraTensorName,
} from "../model/adapters/loraWeights.ts";
import type { Llama } from "../model/llama.ts";
import { nameSeed, uniform } from "../model/random.ts";
import type { TrainExample } from "./examples.ts";

/** Gradients in short: of each tensor its norm and dot products with seeded random vectors. */
export interface GoldenGradients {
  readonly gradNorms: Readonly<Record<string, number>>;
  readonly projections: Readonly<Record<string, readonly number[]>>;
}

export interface Golden {
  readonly prompts: readonly { readonly text: string; readonly ids: number[]; readonly responseStart: number }[];
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly LoraTarget[];
  readonly withoutAdapter: { readonly tokenLogprobs: number[][]; readonly loss: number };
  readonly withAdapter: GoldenGradients & { readonly tokenLogprobs: number[][]; readonly loss: number };
  readonly someLogits: readonly number[] | readonly (readonly number[])[];
  readonly curve: readonly number[];
}

export function readGolden(name: "bundled" | "smollm2"): Golden {
  return JSON.parse(readFileSync(new URL(`../../reference/goldens/${name}.json`, import.meta.url), "utf8")) as Golden;
}

export function goldenExamples(golden: Golden): TrainExample[] {
  return golden.prompts.map(({ ids, responseStart }, index) => ({ name: `golden ${index}`, ids, responseStart }));
}

/** The generated adapter: a formula shared with reference/generated_adapter.py, so that no file is needed. */
export function goldenAdapter(
  llama: Llama,
  { rank, alpha, targets }: Pick<Golden, "rank" | "alpha" | "targets">,
): LoraWeights {
  const tensors = new Map<string, LoraTensor>();
  llama.layers.forEach(({ linears }, layer) => {
    for (const target of LORA_TARGETS.filter((candidate) => targets.includes(candidate))) {
      const { N, K } = linears[target];
      for (const [matrix, shape, amplitude] of [
        ["A", [rank, K], 1 / Math.sqrt(K)],
        ["B", [N, rank], 0.02],
      ] as const) {
        const name = loraTensorName(layer, target, matrix);
        tensors.set(name, { shape, data: generated(name, shape[0] * shape[1], amplitude) });
      }
    }
  });
  return { config: { rank, alpha, dropout: 0, targets }, tensors };
}

function generated(name: string, count: number, amplitude: number): Float32Array {
  const seed = nameSeed(name);
  return Float32Array.from({ length: count }, (_, index) => amplitude * uniform(seed, index));
}

/**
 * ‖gradient − reference‖ / ‖reference‖ of each tensor, worst first, estimated from the golden's dot products with four
 * seeded random vectors u: entries are uniform in [−1, 1), so the mean of (difference·u)² is ‖difference‖²/3.
 */
export function projectedErrors(
  gradients: LoraWeights,
  { gradNorms, projections }: GoldenGradients,
): { name: string; error: number }[] {
  return [...gradients.tensors]
    .map(([name, { data }]) => {
      const squares = [0, 1, 2, 3].map((j) => {
        const seed = nameSeed(`${name}#${j}`);
        const projection = data.reduce((sum, value, index) => sum + value * uniform(seed, index), 0);
        return (projection - (projections[name]?.[j] ?? NaN)) ** 2;
      });
      const difference = Math.sqrt((3 * squares.reduce((sum, square) => sum + square, 0)) / squares.length);
      // A tensor that the loss does not reach has a gradient of zeros, and nothing to be relative to.
      return { name, error: difference / (gradNorms[name] === 0 ? 1 : (gradNorms[name] ?? NaN)) };
    })
    .sort((a, b) => b.error - a.error);
}

/** Checks that numbers agree within an absolute tolerance; on mismatch says where and by how much. */
export function expectWithin(
  actual: readonly number[],
  expected: readonly number[] | undefined,
  tolerance: number,
): void {
  const differences = actual.map((value, i) => Math.abs(value - (expected?.[i] ?? NaN)));
  const worst = differences.reduce(
    (at, value, i) => (value > (differences[at] ?? 0) || Number.isNaN(value) ? i : at),
    0,
  );
  if (actual.length !== expected?.length || !((differences[worst] ?? 0) <= tolerance)) {
    throw new Error(
      `expected ${expected?.length} numbers within ${tolerance}, got ${actual.length}, the worst at ${worst}: ${actual[worst]} for ${expected?.[worst]}`,
    );
  }
}
