/** f32 to f16 and back. Maths: shaders/halves.wgsl. */
import halvesWgsl from "../../shaders/halves.wgsl";
import { defineKernel } from "../gpu/kernel.ts";

/** Elements in one row of workgroups: the device's limit of 65,535 groups a dimension × 64 lanes. */
const ROW = 65535 * 64;
const common = {
  source: halvesWgsl,
  params: { count4: "u32" },
  constants: { WG: 64 },
  workgroups: ({ count4 }: { readonly count4: number }) =>
    [Math.ceil(Math.min(count4, ROW) / 64), Math.ceil(count4 / ROW)] as const,
} as const;

/** packed: 4·count4 numbers as f16, two a word. */
export const halvesPack = defineKernel({
  ...common,
  name: "halves.pack",
  entryPoint: "pack",
  bindings: { x: "read", packed: "read_write" },
});

/** y: the 4·count4 numbers of `halves`. */
export const halvesUnpack = defineKernel({
  ...common,
  name: "halves.unpack",
  entryPoint: "unpack",
  bindings: { halves: "read", y: "read_write" },
});
