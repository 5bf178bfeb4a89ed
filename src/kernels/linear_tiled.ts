/** The linear layer through tiles in workgroup memory, with linear.ts's bindings and parameters: shaders/linear_tiled.wgsl. */
import linearTiledWgsl from "../../shaders/linear_tiled.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";
import { linearBackward, linearForward } from "./linear.ts";

const constants = { LAYOUT: 0, HALVES: 0, SYMMETRIC: 0, WG_X: 16, WG_Y: 8, STEP: 32 };
const common = { source: linearTiledWgsl, fragments: FRAGMENTS, constants } as const;

/** Rows of an invocation, ROWS of the shader. */
const ROWS = 8;

/** y (T,N) (+)= x (T,K)·Wᵀ. */
export const linearTiledForward = defineKernel({
  ...linearForward,
  ...common,
  name: "linear_tiled.forward",
  workgroups: ({ rows, Np }, { WG_X = 1, WG_Y = 1 }) => [Math.ceil(Np / 4 / WG_X), Math.ceil(rows / ROWS / WG_Y)],
});

/** dX (T,K) (+)= dY (T,N)·W, W frozen. */
export const linearTiledBackward = defineKernel({
  ...linearBackward,
  ...common,
  name: "linear_tiled.backward",
  workgroups: ({ rows, K }, { WG_X = 1, WG_Y = 1 }) => [Math.ceil(K / 4 / WG_X), Math.ceil(rows / ROWS / WG_Y)],
});
