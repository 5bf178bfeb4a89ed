/** Attention probabilities of some query rows and heads. Maths, shapes and lists: shaders/attention_map.wgsl. */
import attentionMapWgsl from "../../shaders/attention_map.wgsl";
import { defineKernel } from "../gpu/kernel.ts";

const common = {
  source: attentionMapWgsl,
  params: {
    rows: "u32",
    heads: "u32",
    keys: "u32",
    sets: "u32",
    first: "u32",
    NH: "u32",
    KVH: "u32",
    D: "u32",
    scale: "f32",
  },
  constants: { WG: 64 },
} as const;

/** log Σ exp of the scores of each asked row and head, (rows, heads): what the others need. */
export const attentionMapLse = defineKernel({
  ...common,
  name: "attention_map.lse",
  entryPoint: "lse",
  bindings: { q: "read", k: "read", asked: "read", sums: "read_write" },
  workgroups: ({ rows, heads }, { WG = 1 }) => [Math.ceil((rows * heads) / WG)],
});

/** Probabilities of the first `keys` keys, (heads, rows, keys). */
export const attentionMapWeights = defineKernel({
  ...common,
  name: "attention_map.weights",
  entryPoint: "weights",
  bindings: { q: "read", k: "read", asked: "read", known: "read", probabilities: "read_write" },
  workgroups: ({ rows, heads, keys }, { WG = 1 }) => [Math.ceil(keys / WG), rows, heads],
});

/** The mean of the probabilities over the heads asked, (rows, keys). */
export const attentionMapMean = defineKernel({
  ...common,
  name: "attention_map.mean",
  entryPoint: "mean",
  bindings: { q: "read", k: "read", asked: "read", known: "read", probabilities: "read_write" },
  workgroups: ({ rows, keys }, { WG = 1 }) => [Math.ceil(keys / WG), rows],
});

/** The sum of the probabilities over each set of keys, (sets, rows, heads) from `first` on. */
export const attentionMapMass = defineKernel({
  ...common,
  name: "attention_map.mass",
  entryPoint: "mass",
  bindings: {
    q: "read",
    k: "read",
    asked: "read",
    known: "read",
    starts: "read",
    members: "read",
    masses: "read_write",
  },
  workgroups: ({ rows, heads, sets }, { WG = 1 }) => [Math.ceil((rows * heads) / WG), sets],
});
