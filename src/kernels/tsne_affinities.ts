/** Joint affinities of t-SNE. Maths and shapes: shaders/tsne_affinities.wgsl. */
import affinitiesWgsl from "../../shaders/tsne_affinities.wgsl";
import { defineKernel } from "../gpu/kernel.ts";

const common = {
  source: affinitiesWgsl,
  params: { n: "u32", S: "u32", d: "u32", first: "u32", count: "u32", entropy: "f32" },
  constants: { WG: 64 },
} as const;

/** Rows 4·first … 4·(first + count) of the squared distances of the vectors x (d,S). */
export const tsneDistances = defineKernel({
  ...common,
  name: "tsne_affinities.distances",
  entryPoint: "distances",
  bindings: { x: "read", m: "read_write" },
  workgroups: ({ S, count }, { WG = 1 }) => [Math.ceil(S / 4 / WG), count],
});

/** Columns first … first + count of distances become conditional affinities of the asked entropy (natural logarithm). */
export const tsneCalibrate = defineKernel({
  ...common,
  name: "tsne_affinities.calibrate",
  entryPoint: "calibrate",
  bindings: { matrix: "read_write" },
  workgroups: ({ count }, { WG = 1 }) => [Math.ceil(count / WG)],
});

/** Pairs of rows first … first + count of the joint affinities as bf16, words (S/2,S). */
export const tsneJoin = defineKernel({
  ...common,
  name: "tsne_affinities.join",
  entryPoint: "join",
  bindings: { conditional: "read", words: "read_write" },
  workgroups: ({ S, count }, { WG = 1 }) => [Math.ceil(S / WG), count],
});
