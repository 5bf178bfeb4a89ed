/** Moving whole rows. Shapes: shaders/rows.wgsl. `count` rows of `c4` vec4 elements. */
import rowsWgsl from "../../shaders/rows.wgsl";
import { defineKernel } from "../gpu/kernel.ts";

type RowsParams = Readonly<Record<"count" | "c4" | "from0" | "to0", number>>;

const common = {
  source: rowsWgsl,
  params: { count: "u32", c4: "u32", from0: "u32", to0: "u32" },
  constants: { WG: 64 },
  workgroups: ({ count, c4 }: RowsParams) => [Math.ceil(c4 / 64), count] as const,
} as const;

/** output[i] = input[index[i]]. */
export const rowsGather = defineKernel({
  ...common,
  name: "rows.gather",
  entryPoint: "gather",
  bindings: { input: "read", index: "read", output: "read_write" },
});

/** output[index[i]] += input[i]; no row may be listed twice. */
export const rowsScatterAdd = defineKernel({
  ...common,
  name: "rows.scatter_add",
  entryPoint: "scatter_add",
  bindings: { input: "read", index: "read", output: "read_write" },
});

/** output[index[i]] = input[i]; no row may be listed twice. */
export const rowsScatter = defineKernel({
  ...common,
  name: "rows.scatter",
  entryPoint: "scatter",
  bindings: { input: "read", index: "read", output: "read_write" },
});

/** destination[to0 + i] = input[from0 + i] (offsets in vec4 elements). */
export const rowsCopy = defineKernel({
  ...common,
  name: "rows.copy",
  entryPoint: "copy",
  bindings: { input: "read", destination: "read_write" },
});
