/** Grouped-query causal attention, forward and backward, linear memory. Maths and shapes: shaders/attention.wgsl. */
import attentionWgsl from "../../shaders/attention.wgsl";
import { defineKernel } from "../gpu/kernel.ts";

/** Longest head, 4·MAX_D4 of the shader: a row of a head lies in registers. */
export const MAX_HEAD_DIM = 128;

const common = {
  source: attentionWgsl,
  params: { rows: "u32", heads: "u32", kvHeads: "u32", D: "u32", scale: "f32" },
  constants: { D: 0, WG: 8 },
} as const;

/** o (T,NH·D) and lse in stats (T,NH,2) from q (T,NH·D), k and v (keys,KVH·D). */
export const attentionForward = defineKernel({
  ...common,
  name: "attention.forward",
  entryPoint: "forward",
  bindings: { q: "read", k: "read", v: "read", segments: "read", o: "read_write", stats: "read_write" },
  workgroups: ({ rows, heads }, { WG = 1 }) => [Math.ceil(rows / WG), heads],
});

/** dq (T,NH·D), and delta in stats for the second pass. */
export const attentionBackwardQ = defineKernel({
  ...common,
  name: "attention.backward_q",
  entryPoint: "backward_q",
  bindings: {
    q: "read",
    k: "read",
    v: "read",
    segments: "read",
    o_saved: "read",
    stats: "read_write",
    d_o: "read",
    dq: "read_write",
  },
  workgroups: ({ rows, heads }, { WG = 1 }) => [Math.ceil(rows / WG), heads],
});

/** dk and dv (keys,KVH·D), summed over the heads of each group. */
export const attentionBackwardKv = defineKernel({
  ...common,
  name: "attention.backward_kv",
  entryPoint: "backward_kv",
  bindings: {
    q: "read",
    k: "read",
    v: "read",
    segments: "read",
    d_out: "read",
    stats_saved: "read",
    dk: "read_write",
    dv: "read_write",
  },
  workgroups: ({ rows, kvHeads }, { WG = 1 }) => [Math.ceil(rows / WG), kvHeads],
});
