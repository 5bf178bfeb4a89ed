/** The LoRA products through subgroups, with lora.ts's bindings and parameters: shaders/lora_subgroup.wgsl. */
import loraSubgroupWgsl from "../../shaders/lora_subgroup.wgsl";
import { defineKernel } from "../gpu/kernel.ts";
import { FRAGMENTS } from "./fragments.ts";
import { loraDown, loraGrad, loraUp } from "./lora.ts";

const source = { source: loraSubgroupWgsl, fragments: FRAGMENTS, constants: { WG: 8 } } as const;
/** Rows and ranks of a register tile, ROWS and RANKS of the shader. */
const TILE = 8;

/** out (T,R) = scale·drop(x (T,C))·m (R,C)ᵀ. */
export const loraSubgroupDown = defineKernel({
  ...loraDown,
  ...source,
  name: "lora_subgroup.down",
  workgroups: ({ rows, R }, { WG = 1 }) => [Math.ceil(rows / WG), Math.ceil(R / TILE)],
});

/** out (T,C) += scale·drop(h (T,R)·m (R,C)). */
export const loraSubgroupUp = defineKernel({
  ...loraUp,
  ...source,
  name: "lora_subgroup.up",
  workgroups: ({ rows, C }, { WG = 1 }) => [Math.ceil(C / 4 / WG), Math.ceil(rows / TILE)],
});

/** out (R,C) += scale·h (T,R)ᵀ·drop(xg (T,C)). */
export const loraSubgroupGrad = defineKernel({
  ...loraGrad,
  ...source,
  name: "lora_subgroup.grad",
  workgroups: ({ R, C }, { WG = 1 }) => [Math.ceil(C / 4 / WG), Math.ceil(R / TILE)],
});
