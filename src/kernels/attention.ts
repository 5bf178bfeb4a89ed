/** Grouped-query causal attention, forward and backward, linear memory. Maths and shapes: shaders/attention.wgsl. */
import attentionWgsl from "../../shaders/attention.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

/** Longest head, 4·MAX_D4 of the shader: a row of a head lies in registers. */
export const MAX_HEAD_DIM = 128;

/** Most heads, and keys, of an invocation. */
const MAX_GROUP = 4;
const MAX_KEYS = 2;

const common = {
  source: attentionWgsl,
  fragments: FRAGMENTS,
  params: { first: "u32", rows: "u32", heads: "u32", kvHeads: "u32", D: "u32", scale: "f32" },
  constants: { D: 0, GROUP: 1, KEYS: 1, WG: 8 },
} as const;

type Sizes = Readonly<Record<"rows" | "heads", number>>;
type Constants = Readonly<Record<string, number>>;

const rowsByHeads = ({ rows, heads }: Sizes, { WG = 1, GROUP = 1 }: Constants): [number, number] => [
  Math.ceil(rows / WG),
  heads / GROUP,
];

/** Where loads cost more than arithmetic: as many heads of a group and keys as one load can serve. */
export function sharedLoads(heads: number, kvHeads: number): { readonly GROUP: number; readonly KEYS: number } {
  let GROUP = MAX_GROUP;
  while ((heads / kvHeads) % GROUP !== 0) {
    GROUP--;
  }
  return { GROUP, KEYS: MAX_KEYS };
}

/** o (T,NH·D) and lse in stats (T,NH,2) from q (T,NH·D), k and v (keys,KVH·D). */
export const attentionForward = defineKernel({
  ...common,
  name: "attention.forward",
  entryPoint: "forward",
  bindings: { q: "read", k: "read", v: "read", segments: "read", o: "read_write", stats: "read_write" },
  workgroups: rowsByHeads,
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
    d_o: "read",
    stats: "read_write",
    o_saved: "read",
    dq: "read_write",
  },
  workgroups: rowsByHeads,
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
    d_o: "read",
    stats_saved: "read",
    dk: "read_write",
    dv: "read_write",
  },
  workgroups: ({ rows, kvHeads }, { WG = 1, KEYS = 1 }) => [Math.ceil(rows / (WG * KEYS)), kvHeads],
});
