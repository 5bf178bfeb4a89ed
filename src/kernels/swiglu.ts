/** SwiGLU's elementwise part. Maths: shaders/swiglu.wgsl. */
import swigluWgsl from "../../shaders/swiglu.wgsl";
import { defineKernel } from "../gpu/kernel.ts";

/** Elements in one row of workgroups: the device's limit of 65,535 groups a dimension × 64 lanes. */
const ROW = 65535 * 64;
const common = {
  source: swigluWgsl,
  params: { count4: "u32" },
  constants: { WG: 64 },
  workgroups: ({ count4 }: { readonly count4: number }) =>
    [Math.ceil(Math.min(count4, ROW) / 64), Math.ceil(count4 / ROW)] as const,
} as const;

/** h = silu(g)·u. */
export const swigluForward = defineKernel({
  ...common,
  name: "swiglu.forward",
  entryPoint: "forward",
  bindings: { g: "read", u: "read", h: "read_write" },
});

/** From dh: gate becomes dg, upward becomes du. */
export const swigluBackward = defineKernel({
  ...common,
  name: "swiglu.backward",
  entryPoint: "backward",
  bindings: { gate: "read_write", upward: "read_write", dh: "read" },
});
