/** Embedding rows from quantized weights. Shapes: shaders/embedding.wgsl. */
import embeddingWgsl from "../../shaders/embedding.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

/** x[t] (T,C) = W[ids[t]], for the ids in this part of the table (n0 … n0 + N − 1). */
export const embeddingGather = defineKernel({
  name: "embedding.gather",
  source: embeddingWgsl,
  fragments: FRAGMENTS,
  entryPoint: "gather",
  bindings: { ids: "read", words: "read", scales: "read", x: "read_write" },
  params: { rows: "u32", C: "u32", N: "u32", Np: "u32", n0: "u32" },
  constants: { LAYOUT: 0, HALVES: 0, SYMMETRIC: 0, WG: 64 },
  workgroups: ({ rows, C }, { WG = 1 }) => [Math.ceil(C / WG), rows],
});
