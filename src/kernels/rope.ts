/** Rotary position embedding in GGUF's interleaved order, in place. Maths: shaders/rope.wgsl. */
import ropeWgsl from "../../shaders/rope.wgsl";
import { defineKernel } from "../gpu/kernel.ts";

/** Turns x (T, width = H·D); sign 1 forward, −1 for gradients. */
export const ropeRotate = defineKernel({
  name: "rope.rotate",
  source: ropeWgsl,
  entryPoint: "rotate",
  bindings: { x: "read_write", table: "read", positions: "read" },
  params: { rows: "u32", width: "u32", D: "u32", sign: "f32" },
  constants: { WG: 64 },
  workgroups: ({ rows, width }, { WG = 1 }) => [Math.ceil(width / 2 / WG), rows],
});
