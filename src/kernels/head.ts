/** Logits of single tokens. Shapes: shaders/head.wgsl. */
import headWgsl from "../../shaders/head.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";

/** Workgroups along x; more picks go along y. */
const PICKS_X = 256;

/** y[i] = x[row] · W[token] of the picks (row, token) whose token is in this part (n0 … n0 + N − 1). */
export const headPicked = defineKernel({
  name: "head.picked",
  source: headWgsl,
  fragments: FRAGMENTS,
  entryPoint: "picked",
  bindings: { x: "read", picks: "read", words: "read", scales: "read", y: "read_write" },
  params: { count: "u32", K: "u32", N: "u32", Np: "u32", n0: "u32" },
  constants: { LAYOUT: 0, HALVES: 0, SYMMETRIC: 0, WG: 32 },
  workgroups: ({ count }) => [Math.min(count, PICKS_X), Math.ceil(count / PICKS_X)],
});
