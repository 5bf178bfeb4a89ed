/** The linear layer through f16 tiles in workgroup memory, with linear.ts's bindings and parameters: shaders/linear_tiled_f16.wgsl. */
import linearTiledF16Wgsl from "../../shaders/linear_tiled_f16.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { linearTiledBackward, linearTiledForward } from "./linear_tiled.ts";

const common = {
  source: linearTiledF16Wgsl,
  constants: { ...linearTiledForward.constants, WG_X: 32 },
} as const;

/** y (T,N) (+)= x (T,K)·Wᵀ. The device has "shader-f16". */
export const linearTiledF16Forward = defineKernel({
  ...linearTiledForward,
  ...common,
  name: "linear_tiled_f16.forward",
});

/** dX (T,K) (+)= dY (T,N)·W, W frozen. The device has "shader-f16". */
export const linearTiledF16Backward = defineKernel({
  ...linearTiledBackward,
  ...common,
  name: "linear_tiled_f16.backward",
});
