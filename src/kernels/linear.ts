/** Quantized linear layer, both directions. Shapes and layouts: shaders/linear.wgsl, shaders/shared/weights.wgsl. */
import linearWgsl from "../../shaders/linear.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

const params = {
  rows: "u32",
  K: "u32",
  N: "u32",
  Np: "u32",
  n0: "u32",
  stride: "u32",
  accumulate: "u32",
} as const;
const constants = { LAYOUT: 0, HALVES: 0, SYMMETRIC: 0, WG: 8 };
const common = { source: linearWgsl, fragments: FRAGMENTS, params, constants } as const;
/** Rows of a register tile, ROWS of the shader. */
const ROWS = 4;

/** y (T,N) (+)= x (T,K)·Wᵀ. */
export const linearForward = defineKernel({
  ...common,
  name: "linear.forward",
  entryPoint: "forward",
  bindings: { x: "read", words: "read", scales: "read", y: "read_write" },
  workgroups: ({ rows, Np }, { WG = 1 }) => [Math.ceil(Np / 8 / WG), Math.ceil(rows / ROWS)],
});

/** The same for very few rows (decoding): four outputs an invocation, more invocations. */
export const linearForwardRow = defineKernel({
  ...common,
  name: "linear.forward_row",
  entryPoint: "forward_row",
  bindings: { x: "read", words: "read", scales: "read", y: "read_write" },
  workgroups: ({ rows, Np }, { WG = 1 }) => [Math.ceil(Np / 4 / WG), rows],
});

/** dX (T,K) (+)= dY (T,N)·W, W frozen. */
export const linearBackward = defineKernel({
  ...common,
  name: "linear.backward",
  entryPoint: "backward",
  constants: { ...constants, WG: 16 },
  bindings: { dy: "read", words: "read", scales: "read", dx: "read_write" },
  workgroups: ({ rows, K }, { WG = 1 }) => [Math.ceil(K / 8 / WG), Math.ceil(rows / ROWS)],
});
