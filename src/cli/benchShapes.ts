// What `obp bench matmul` multiplies: the linears of known models, and of a GGUF file.
import type { LoraTarget } from "../model/adapters/loraWeights.ts";
import { type LlamaConfig, readLlamaConfig } from "../model/gguf/config.ts";
import { shapeOf, SHAPES } from "../model/shapes.ts";
import { openModel } from "./openModel.ts";

/** The linears of a layer that differ in shape, by what the table calls them. */
export const LINEARS = { "q, o": "q_proj", "k, v": "k_proj", "gate, up": "gate_proj", down: "down_proj" } as const;
export type LinearName = keyof typeof LINEARS;
export const LINEAR_NAMES = Object.keys(LINEARS) as LinearName[];

export interface MatmulCase {
  readonly shape: LlamaConfig;
  readonly linear: LinearName;
  readonly target: LoraTarget;
  readonly rows: number;
}

/** Without --shape: a few of every model, so that a run takes minutes on a software adapter. */
const FEW: readonly (readonly [shape: string, linear: LinearName, rows: readonly number[]])[] = [
  ["llama-3.1-8b", "q, o", [1, 128]],
  ["llama-3.1-8b", "k, v", [128, 256]],
  ["llama-3.2-1b", "q, o", [128, 512]],
  ["llama-3.2-1b", "gate, up", [128]],
  ["smollm2-135m", "q, o", [128]],
  ["smollm2-135m", "down", [1, 256, 512]],
];
const ROWS = [1, 128];

/** @param shape a known model's name, a GGUF file or bundled; undefined takes a few of every known model */
export async function matmulCases(
  shape: string | undefined,
  linears: readonly LinearName[] | undefined,
  rows: readonly number[] | undefined,
): Promise<MatmulCase[]> {
  if (shape === undefined) {
    const few = FEW.flatMap(([name, linear, ownRows]) => casesOf(known(name), [linear], rows ?? ownRows));
    return few.filter(({ linear }) => linears?.includes(linear) ?? true);
  }
  return casesOf(await namedOrFile(shape), linears ?? LINEAR_NAMES, rows ?? ROWS);
}

/** The sizes of a known model, or of a GGUF file. */
export async function namedOrFile(shape: string): Promise<LlamaConfig> {
  return shapeOf(shape) ?? (await readLlamaConfig(await openModel(shape)));
}

function casesOf(shape: LlamaConfig, linears: readonly LinearName[], rows: readonly number[]): MatmulCase[] {
  return linears.flatMap((linear) => rows.map((count) => ({ shape, linear, target: LINEARS[linear], rows: count })));
}

function known(name: string): LlamaConfig {
  const shape = shapeOf(name);
  if (shape === undefined) {
    throw new Error(`expected one of ${SHAPES.map((each) => each.name).join(", ")}, got ${name}`);
  }
  return shape;
}
