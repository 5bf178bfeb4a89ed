/** Cross-entropy over supervised rows, the vocabulary in chunks. Maths: shaders/cross_entropy.wgsl. */
import crossEntropyWgsl from "../../shaders/cross_entropy.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

const common = {
  source: crossEntropyWgsl,
  fragments: FRAGMENTS,
  params: { n0: "u32", N: "u32", stride: "u32", first: "u32", perRow: "u32", rows: "u32" },
  constants: { WG: 64 },
} as const;

/** Folds a chunk of logits (S, stride) into stats (S): maximum, sum, label logit, log-sum-exp. `first`: 1 starts anew. */
export const crossEntropyAccumulate = defineKernel({
  ...common,
  name: "cross_entropy.accumulate",
  entryPoint: "accumulate",
  bindings: { logits: "read", labels: "read", stats: "read_write" },
  workgroups: ({ rows }) => [rows],
});

/** total += (Σ over the N rows of −log-probability, N). */
export const crossEntropyFinish = defineKernel({
  ...common,
  name: "cross_entropy.finish",
  entryPoint: "finish",
  bindings: { finished: "read", total: "read_write" },
  workgroups: () => [1],
});

/** A recomputed chunk of logits becomes (softmax − onehot)·factor: of each row its own (`perRow` 1), or the first for all. */
export const crossEntropyBackward = defineKernel({
  ...common,
  name: "cross_entropy.backward",
  entryPoint: "backward",
  bindings: { dlogits: "read_write", labels: "read", saved: "read", factors: "read" },
  workgroups: ({ rows }) => [rows],
});
