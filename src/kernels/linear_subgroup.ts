/** The linear layer through subgroups, with linear.ts's bindings and parameters: shaders/linear_subgroup.wgsl. */
import linearSubgroupWgsl from "../../shaders/linear_subgroup.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";
import { linearBackward, linearForward, linearForwardRow } from "./linear.ts";

const source = { source: linearSubgroupWgsl, fragments: FRAGMENTS } as const;
/** Rows of a register tile, ROWS of the shader. */
const ROWS = 8;

/** y (T,N) (+)= x (T,K)·Wᵀ. */
export const linearSubgroupForward = defineKernel({
  ...linearForward,
  ...source,
  name: "linear_subgroup.forward",
  workgroups: ({ rows, Np }, { WG = 1 }) => [Math.ceil(Np / 8 / WG), Math.ceil(rows / ROWS)],
});

/** The same for very few rows (decoding): four outputs an invocation, more invocations. */
export const linearSubgroupForwardRow = defineKernel({
  ...linearForwardRow,
  ...source,
  name: "linear_subgroup.forward_row",
});

/** The same for two to four rows, or a few times that many: rows share what is dequantized. */
export const linearSubgroupForwardFour = defineKernel({
  ...linearForwardRow,
  ...source,
  name: "linear_subgroup.forward_four",
  entryPoint: "forward_four",
  workgroups: ({ rows, Np }, { WG = 1 }) => [Math.ceil(Np / 4 / WG), Math.ceil(rows / 4)],
});

/** dX (T,K) (+)= dY (T,N)·W, W frozen. */
export const linearSubgroupBackward = defineKernel({
  ...linearBackward,
  ...source,
  name: "linear_subgroup.backward",
  constants: { ...linearBackward.constants, WG: 8 },
  workgroups: ({ rows, K }, { WG = 1 }) => [Math.ceil(K / 8 / WG), Math.ceil(rows / ROWS)],
});
