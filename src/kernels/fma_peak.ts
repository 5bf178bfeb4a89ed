/** Multiply-adds without memory traffic: what a product's speed is held against. Maths: shaders/fma_peak.wgsl. */
import fmaPeakWgsl from "../../shaders/fma_peak.wgsl";
import { defineKernel } from "../gpu/kernel.ts";

/** `steps` is a multiple of this, UNROLLED of the shader. */
export const FMA_STEPS_UNROLLED = 16;
/** Floating-point operations of one vector in one step. */
export const FMA_STEP_FLOPS = 8;

/** sums (count) of vec4, each of CHAINS (up to 8) vectors after `steps` steps. */
export const fmaPeak = defineKernel({
  name: "fma_peak.run",
  source: fmaPeakWgsl,
  entryPoint: "run",
  bindings: { sums: "read_write" },
  params: { count: "u32", steps: "u32", c: "f32" },
  constants: { CHAINS: 4, WG: 64 },
  workgroups: ({ count }, { WG = 1 }) => [Math.ceil(count / WG)],
});
