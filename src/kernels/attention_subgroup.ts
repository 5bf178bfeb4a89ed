/**
 * Attention through subgroups, of rows that attend to rows of their own pass (not to a cache), with attention.ts's bindings
 * and parameters: shaders/attention_subgroup.wgsl.
 */
import attentionSubgroupWgsl from "../../shaders/attention_subgroup.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { attentionBackwardKv, attentionBackwardQ, attentionForward } from "./attention.ts";
import { FRAGMENTS } from "./fragments.ts";

/** Rows of a workgroup, LANES of the shader. */
const LANES = 8;

const source = { source: attentionSubgroupWgsl, fragments: FRAGMENTS, constants: { GROUP: 1, KEYS: 1 } } as const;

const rowsByHeads = (
  { rows, heads }: Readonly<Record<"rows" | "heads", number>>,
  { GROUP = 1 }: Readonly<Record<string, number>>,
): [number, number] => [Math.ceil(rows / LANES), heads / GROUP];

/** o (T,NH·D) and lse in stats (T,NH,2) from q (T,NH·D), k and v (T,KVH·D). */
export const attentionSubgroupForward = defineKernel({
  ...attentionForward,
  ...source,
  name: "attention_subgroup.forward",
  workgroups: rowsByHeads,
});

/** dq (T,NH·D), and delta in stats for the second pass. */
export const attentionSubgroupBackwardQ = defineKernel({
  ...attentionBackwardQ,
  ...source,
  name: "attention_subgroup.backward_q",
  workgroups: rowsByHeads,
});

/** dk and dv (T,KVH·D), summed over the heads of each group. */
export const attentionSubgroupBackwardKv = defineKernel({
  ...attentionBackwardKv,
  ...source,
  name: "attention_subgroup.backward_kv",
  workgroups: ({ rows, kvHeads }, { KEYS = 1 }) => [Math.ceil(rows / (LANES * KEYS)), kvHeads],
});
