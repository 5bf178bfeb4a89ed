/** RMSNorm with a frozen weight. Maths: shaders/rmsnorm.wgsl. */
import rmsnormWgsl from "../../shaders/rmsnorm.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

const common = {
  source: rmsnormWgsl,
  fragments: FRAGMENTS,
  params: { C: "u32", eps: "f32", rows: "u32" },
  constants: { WG: 64 },
} as const;

/** y (T,C) = x·rstd·weight; saves rstd (T). */
export const rmsnormForward = defineKernel({
  ...common,
  name: "rmsnorm.forward",
  entryPoint: "forward",
  bindings: { x: "read", weight: "read", y: "read_write", rstd: "read_write" },
  workgroups: ({ rows }) => [rows],
});

/** dx (T,C) += the gradient of x. */
export const rmsnormBackward = defineKernel({
  ...common,
  name: "rmsnorm.backward",
  entryPoint: "backward",
  bindings: { x: "read", weight: "read", saved: "read", dy: "read", dx: "read_write" },
  workgroups: ({ rows }) => [rows],
});
