/** Adam with global-norm clipping and a finite gate. Maths: shaders/optimizer.wgsl. */
import optimizerWgsl from "../../shaders/optimizer.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

/** Elements whose squares one workgroup sums, PER_GROUP of the shader. */
export const SQUARES_PER_GROUP = 4096;

const common = {
  source: optimizerWgsl,
  fragments: FRAGMENTS,
  params: {
    count: "u32",
    groups: "u32",
    gradScale: "f32",
    maxNorm: "f32",
    learningRate: "f32",
    beta1: "f32",
    beta2: "f32",
    eps: "f32",
    weightDecay: "f32",
    correction1: "f32",
    correction2: "f32",
    first: "u32",
  },
  constants: { WG: 64 },
} as const;

/** partials[first + i] = Σ g² of the i-th SQUARES_PER_GROUP elements. */
export const squareSums = defineKernel({
  ...common,
  name: "optimizer.square_sums",
  entryPoint: "square_sums",
  bindings: { g: "read", partials: "read_write" },
  workgroups: ({ count }) => [Math.ceil(count / SQUARES_PER_GROUP)],
});

/** state = (global norm of the mean gradient, factor on g, 1 if finite else 0, unused). */
export const clipByGlobalNorm = defineKernel({
  ...common,
  name: "optimizer.clip",
  entryPoint: "clip",
  bindings: { sums: "read", state: "read_write" },
  workgroups: () => [1],
});

/** One Adam update of `weights`, unless the gate says the gradient is not finite. */
export const adamUpdate = defineKernel({
  ...common,
  name: "optimizer.update",
  entryPoint: "update",
  bindings: { g: "read", decided: "read", m: "read_write", v: "read_write", weights: "read_write" },
  workgroups: ({ count }, { WG = 1 }) => [Math.min(4096, Math.ceil(count / WG))],
});
