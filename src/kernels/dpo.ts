/** DPO on the preference pairs of a pass. Maths and the meaning of each number: shaders/dpo.wgsl. */
import dpoWgsl from "../../shaders/dpo.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

const common = {
  source: dpoWgsl,
  fragments: FRAGMENTS,
  params: { count: "u32", beta: "f32", lambda: "f32", pairShare: "f32", tokenShare: "f32" },
  constants: { WG: 64 },
} as const;

/** logps of `count` answers: Σ log-probabilities of the targets of each. */
export const dpoSum = defineKernel({
  ...common,
  name: "dpo.sum",
  entryPoint: "sum",
  bindings: { starts: "read", members: "read", stats: "read", logps: "read_write" },
  workgroups: ({ count }) => [count],
});

/** The losses of `count` pairs into totals (7), and their slopes by −log π of both answers (pairs,2). */
export const dpoLoss = defineKernel({
  ...common,
  name: "dpo.loss",
  entryPoint: "loss",
  bindings: { policy: "read", references: "read", slopes: "read_write", totals: "read_write" },
  workgroups: () => [1],
});

/** Factors of `count` targets' cross-entropy gradients: the sum of the slopes of the answers that each is in. */
export const dpoFactors = defineKernel({
  ...common,
  name: "dpo.factors",
  entryPoint: "factors",
  bindings: { starts: "read", members: "read", slope_of: "read", factors_of: "read_write" },
  workgroups: ({ count }, { WG = 1 }) => [Math.ceil(count / WG)],
});
