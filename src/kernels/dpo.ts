/** DPO on one preference pair. Maths and the meaning of each number: shaders/dpo.wgsl. */
import dpoWgsl from "../../shaders/dpo.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

const common = {
  source: dpoWgsl,
  fragments: FRAGMENTS,
  params: {
    rows: "u32",
    side: "u32",
    first: "u32",
    refChosen: "f32",
    refRejected: "f32",
    beta: "f32",
    lambda: "f32",
    pairShare: "f32",
    tokenShare: "f32",
  },
  constants: { WG: 64 },
  workgroups: () => [1] as const,
} as const;

/** sums[side] (+)= Σ log-probabilities of `rows` rows; side 0 chosen, 1 rejected. `first`: 1 starts anew. */
export const dpoSum = defineKernel({
  ...common,
  name: "dpo.sum",
  entryPoint: "sum",
  bindings: { stats: "read", sums: "read_write" },
});

/** The pair's loss into totals (7), and the factors of both answers' cross-entropy gradients into pair[2], pair[3]. */
export const dpoLoss = defineKernel({
  ...common,
  name: "dpo.loss",
  entryPoint: "loss",
  bindings: { pair: "read_write", totals: "read_write" },
});
