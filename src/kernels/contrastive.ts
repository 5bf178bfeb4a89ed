/** Attention contrastive loss of the prompts of a pass. Maths, shapes and lists: shaders/contrastive.wgsl. */
import contrastiveWgsl from "../../shaders/contrastive.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

const common = {
  source: contrastiveWgsl,
  fragments: FRAGMENTS,
  params: { D: "u32", heads: "u32", first: "u32", rows: "u32", weight: "f32" },
  constants: { WG: 64 },
} as const;

/** Vectors e[first + i] (V,D), i < rows: the mean over list i's rows and all heads of x (T,heads·D). */
export const contrastivePool = defineKernel({
  ...common,
  name: "contrastive.pool",
  entryPoint: "pool",
  bindings: { x: "read", starts: "read", members: "read", e: "read_write" },
  workgroups: ({ D, rows }, { WG = 1 }) => [Math.ceil(D / WG), rows],
});

/**
 * Of the keys of each of `rows` prompts (cosine with the type, length) (V,2), and the gradient de (V,D) of its loss
 * −log σ(Σ sign·cos), which goes into losses (rows).
 */
export const contrastiveLoss = defineKernel({
  ...common,
  name: "contrastive.loss",
  entryPoint: "loss",
  bindings: {
    vectors: "read",
    ranges: "read",
    signs: "read",
    cosines: "read_write",
    de: "read_write",
    losses: "read_write",
  },
  workgroups: ({ rows }) => [rows],
});

/** total += (Σ of `rows` losses, rows). */
export const contrastiveSum = defineKernel({
  ...common,
  name: "contrastive.sum",
  entryPoint: "sum",
  bindings: { found: "read", total: "read_write" },
  workgroups: () => [1],
});

/** dx (T,heads·D) += weight × the gradient through pool, in the `rows` rows touched. */
export const contrastiveScatter = defineKernel({
  ...common,
  name: "contrastive.scatter",
  entryPoint: "scatter",
  bindings: {
    touched: "read",
    starts: "read",
    members: "read",
    counts: "read",
    gradient: "read",
    dx: "read_write",
  },
  workgroups: ({ heads, D, rows }, { WG = 1 }) => [Math.ceil((heads * D) / WG), rows],
});
