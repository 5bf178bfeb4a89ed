/** One iteration of exact t-SNE in two dimensions. Maths and shapes: shaders/tsne.wgsl. */
import tsneWgsl from "../../shaders/tsne.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

const common = {
  source: tsneWgsl,
  fragments: FRAGMENTS,
  params: {
    n: "u32",
    S: "u32",
    splits: "u32",
    length: "u32",
    groups: "u32",
    exaggeration: "f32",
    momentum: "f32",
    rate: "f32",
  },
  constants: { WG: 64 },
} as const;

/** How many sums of q `tsneForces` writes. */
export function normalGroups(S: number, splits: number, WG: number): number {
  return Math.ceil(S / 4 / WG) * splits;
}

/** sums (splits,S) of (Σ p q (y_i − y_j), Σ q² (y_i − y_j)) over a split's points j, and Σ q of each workgroup. */
export const tsneForces = defineKernel({
  ...common,
  name: "tsne.forces",
  entryPoint: "forces",
  bindings: { affinities: "read", positions: "read", sums: "read_write", normals: "read_write" },
  workgroups: ({ S, splits }, { WG = 1 }) => [Math.ceil(S / 4 / WG), splits],
});

/** A step down the gradient with momentum and gains: points (S,2) and motion (S) of (step, gains) in place. */
export const tsneUpdate = defineKernel({
  ...common,
  name: "tsne.update",
  entryPoint: "update",
  bindings: { summed: "read", normalizers: "read", points: "read_write", motion: "read_write" },
  workgroups: ({ n }, { WG = 1 }) => [Math.ceil(n / WG)],
});

/** parts (splits,S/4) of (Σ p log(p (1 + d²)), Σ q): KL divergence is the sum of the first plus the log of the second's. */
export const tsneDivergence = defineKernel({
  ...common,
  name: "tsne.divergence",
  entryPoint: "divergence",
  bindings: { affinities: "read", positions: "read", parts: "read_write" },
  workgroups: ({ S, splits }, { WG = 1 }) => [Math.ceil(S / 4 / WG), splits],
});
