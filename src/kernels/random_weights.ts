/** Random weights in the GPU layouts. Distribution: shaders/random_weights.wgsl. */
import randomWeightsWgsl from "../../shaders/random_weights.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

/** Words in one row of workgroups: the device's limit of 65,535 groups a dimension × 64 lanes. */
const ROW = 65535 * 64;
const common = {
  source: randomWeightsWgsl,
  fragments: FRAGMENTS,
  params: { count: "u32", N: "u32", Np: "u32", K: "u32", seed: "u32" },
  constants: { LAYOUT: 0, HALVES: 0, SYMMETRIC: 0, WG: 64 },
  workgroups: ({ count }: { readonly count: number }) =>
    [Math.ceil(Math.min(count, ROW) / 64), Math.ceil(count / ROW)] as const,
} as const;

/** All words of a matrix part (N, K), `count` of them. */
export const randomWords = defineKernel({
  ...common,
  name: "random_weights.fill_words",
  entryPoint: "fill_words",
  bindings: { words: "read_write" },
});

/** All scales of it. */
export const randomScales = defineKernel({
  ...common,
  name: "random_weights.fill_scales",
  entryPoint: "fill_scales",
  bindings: { scales: "read_write" },
});
