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

export interface Golden {
  readonly prompts: readonly { readonly text: string; readonly ids: number[]; readonly responseStart: number }[];
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly LoraTarget[];
  readonly withoutAdapter: { readonly tokenLogprobs: number[][]; readonly loss: number };
  readonly withAdapter: {
    readonly tokenLogprobs: number[][];
    readonly loss: number;
    readonly gradNorms: Readonly<Record<string, number>>;
    readonly projections: Readonly<Record<string, readonly number[]>>;
  };
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
export function goldenAdapter(llama: Llama, { rank, alpha, targets }: Golden): LoraWeights {
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

/** Dot products of a gradient with the golden's four seeded random vectors. */
export function projections(name: string, data: Float32Array): number[] {
  return [0, 1, 2, 3].map((j) => {
    const seed = nameSeed(`${name}#${j}`);
    return data.reduce((sum, value, index) => sum + value * uniform(seed, index), 0);
  });
}
