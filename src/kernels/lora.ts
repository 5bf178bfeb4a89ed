/** The three LoRA products, each used forward and backward. Maths and shapes: shaders/lora.wgsl. */
import loraWgsl from "../../shaders/lora.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

const params = {
  rows: "u32",
  R: "u32",
  C: "u32",
  scale: "f32",
  seed: "u32",
  threshold: "u32",
  keep: "f32",
} as const;
const common = { source: loraWgsl, fragments: FRAGMENTS, params, constants: { WG: 32 } } as const;

/** out (T,R) = scale·drop(x (T,C))·m (R,C)ᵀ. */
export const loraDown = defineKernel({
  ...common,
  name: "lora.down",
  entryPoint: "down",
  bindings: { x: "read", m: "read", out: "read_write" },
  workgroups: ({ rows, R }, { WG = 1 }) => [Math.ceil(rows / WG), R / 4],
});

/** out (T,C) += scale·drop(h (T,R)·m (R,C)). */
export const loraUp = defineKernel({
  ...common,
  name: "lora.up",
  entryPoint: "up",
  bindings: { h: "read", m: "read", out: "read_write" },
  workgroups: ({ rows, C }, { WG = 1 }) => [Math.ceil(C / 4 / WG), rows],
});

/** out (R,C) += scale·h (T,R)ᵀ·drop(xg (T,C)). */
export const loraGrad = defineKernel({
  ...common,
  name: "lora.grad",
  entryPoint: "grad",
  bindings: { h: "read", xg: "read", out: "read_write" },
  workgroups: ({ R, C }, { WG = 1 }) => [Math.ceil(C / 4 / WG), R / 4],
});
