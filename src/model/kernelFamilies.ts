/**
 * Which kernels a device runs the products of linear layers and of LoRA with. All families compute the same sums,
 * "tiled-f16" to fewer bits.
 */
import type { Gpu } from "../gpu/device.ts";
import type { FamilyName, KernelVariant } from "../gpu/kernelChoice.ts";
import { attentionBackwardKv, attentionBackwardQ, attentionForward } from "../kernels/attention.ts";
import {
  attentionSubgroupBackwardKv,
  attentionSubgroupBackwardQ,
  attentionSubgroupForward,
} from "../kernels/attention_subgroup.ts";
import { linearBackward, linearForward, linearForwardRow } from "../kernels/linear.ts";
import {
  linearSubgroupBackward,
  linearSubgroupForward,
  linearSubgroupForwardFour,
  linearSubgroupForwardRow,
} from "../kernels/linear_subgroup.ts";
import { linearTiledBackward, linearTiledForward } from "../kernels/linear_tiled.ts";
import { linearTiledF16Backward, linearTiledF16Forward } from "../kernels/linear_tiled_f16.ts";
import { loraDown, loraGrad, loraUp } from "../kernels/lora.ts";
import { loraSubgroupDown, loraSubgroupGrad, loraSubgroupUp } from "../kernels/lora_subgroup.ts";

/** Products of one or two rows (decoding), of few rows, and of many: each may want other kernels. */
export type RowClass = "one" | "few" | "many";
/** Up to this many rows the decoding kernel (no row tile) does less work than the tiled one. */
const ONE_ROWS = 2;
/** Up to this many rows, from two on, the subgroups have a kernel whose tile is that high. */
const FOUR_ROWS = 4;
/** Up to this many rows tiles of 64 rows would be mostly empty. */
const FEW_ROWS = 32;

export type Direction = "forward" | "backward";

/** A kind of product that kernels are chosen for. */
export interface Work {
  readonly direction: Direction;
  readonly rowClass: RowClass;
}

/** All of them, what training spends its time on first. Backward's one row is as few. */
export const WORKS: readonly Work[] = [
  { direction: "forward", rowClass: "many" },
  { direction: "backward", rowClass: "many" },
  { direction: "forward", rowClass: "one" },
  { direction: "forward", rowClass: "few" },
  { direction: "backward", rowClass: "few" },
];

/** Products of the quantized linear layers; one set of bindings and parameters. */
interface LinearKernels {
  readonly forward: typeof linearForward;
  readonly backward: typeof linearBackward;
}

const LINEAR: Readonly<Record<FamilyName, LinearKernels>> = {
  registers: { forward: linearForward, backward: linearBackward },
  subgroups: { forward: linearSubgroupForward, backward: linearSubgroupBackward },
  tiled: { forward: linearTiledForward, backward: linearTiledBackward },
  "tiled-f16": { forward: linearTiledF16Forward, backward: linearTiledF16Backward },
};
const FORWARD_ROW = { registers: linearForwardRow, subgroups: linearSubgroupForwardRow };
const LORA = {
  registers: { down: loraDown, up: loraUp, grad: loraGrad },
  subgroups: { down: loraSubgroupDown, up: loraSubgroupUp, grad: loraSubgroupGrad },
};

/** A kernel and all the constants that it runs with. */
interface Chosen<K> {
  readonly kernel: K;
  readonly constants: Readonly<Record<string, number>>;
}

export function loraKernels({ kernels }: Pick<Gpu, "kernels">): (typeof LORA)["registers"] {
  return LORA[kernels.basic];
}

/** Forward's kernel for weights of a layout (its constants) and so many rows. */
export function forwardKernel(
  gpu: Pick<Gpu, "kernels">,
  layout: Readonly<Record<string, number>>,
  rows: number,
): Chosen<typeof linearForward> {
  const rowClass = classOf(rows);
  const variant = variantOf(gpu, "forward", layout, rowClass);
  return rows > 1 && rows <= FOUR_ROWS && variant.family === "subgroups"
    ? { kernel: linearSubgroupForwardFour, constants: withOwn(layout, variant.constants) }
    : forwardVariant(variant, layout, rowClass);
}

/** Backward's kernel. */
export function backwardKernel(
  gpu: Pick<Gpu, "kernels">,
  layout: Readonly<Record<string, number>>,
  rows: number,
): Chosen<typeof linearBackward> {
  return backwardVariant(variantOf(gpu, "backward", layout, backwardClass(rows)), layout);
}

export function forwardVariant(
  { family, constants }: KernelVariant,
  layout: Readonly<Record<string, number>>,
  rowClass: RowClass,
): Chosen<typeof linearForward> {
  const kernel =
    rowClass === "one" ? FORWARD_ROW[family === "subgroups" ? "subgroups" : "registers"] : LINEAR[family].forward;
  return { kernel, constants: withOwn(layout, constants) };
}

export function backwardVariant(
  { family, constants }: KernelVariant,
  layout: Readonly<Record<string, number>>,
): Chosen<typeof linearBackward> {
  return { kernel: LINEAR[family].backward, constants: withOwn(layout, constants) };
}

/** All kernels that products with weights of a layout may need. */
export function linearKernels(
  gpu: Pick<Gpu, "kernels">,
  directions: readonly Direction[],
  layout: Readonly<Record<string, number>>,
): Chosen<typeof linearForward | typeof linearBackward>[] {
  const few = directions.includes("forward") ? [2, FOUR_ROWS].map((rows) => forwardKernel(gpu, layout, rows)) : [];
  const others = WORKS.filter(({ direction }) => directions.includes(direction)).map(({ direction, rowClass }) => {
    const variant = variantOf(gpu, direction, layout, rowClass);
    return direction === "forward" ? forwardVariant(variant, layout, rowClass) : backwardVariant(variant, layout);
  });
  return [...few, ...others];
}

/** The key of what is tuned. */
export function tuningKey(direction: Direction, layout: Readonly<Record<string, number>>, rowClass: RowClass): string {
  return `${direction} ${layoutName(layout)} ${rowClass}`;
}

/** Of weights that kernels read in the same way. */
export function layoutName({ LAYOUT = 0, HALVES = 0, SYMMETRIC = 0 }: Readonly<Record<string, number>>): string {
  const name = ["q4", "q4k", "q8", "f32"][LAYOUT] ?? `layout ${LAYOUT}`;
  return `${name}${HALVES === 1 ? " halves" : ""}${SYMMETRIC === 1 ? " symmetric" : ""}`;
}

function variantOf(
  { kernels }: Pick<Gpu, "kernels">,
  direction: Direction,
  layout: Readonly<Record<string, number>>,
  rowClass: RowClass,
): KernelVariant {
  const { basic, linear, tuned, measuredAt } = kernels;
  const measured = measuredAt === null ? undefined : tuned[tuningKey(direction, layout, rowClass)];
  return measured ?? { family: rowClass === "one" && direction === "forward" ? basic : linear, constants: NONE };
}

const NONE = Object.freeze({});

function classOf(rows: number): RowClass {
  return rows <= ONE_ROWS ? "one" : rows <= FEW_ROWS ? "few" : "many";
}

function backwardClass(rows: number): RowClass {
  return rows <= FEW_ROWS ? "few" : "many";
}

/** The same object where a variant has no constants of its own: every dispatch asks. */
function withOwn(layout: Readonly<Record<string, number>>, own: Readonly<Record<string, number>>) {
  return Object.keys(own).length === 0 ? layout : { ...layout, ...own };
}

const ATTENTION = { forward: attentionForward, backwardQ: attentionBackwardQ, backwardKv: attentionBackwardKv };
const ATTENTION_SUBGROUP = {
  forward: attentionSubgroupForward,
  backwardQ: attentionSubgroupBackwardQ,
  backwardKv: attentionSubgroupBackwardKv,
};

/**
 * The kernels of rows that attend to their own pass. Lanes read for each other where loads cost more than arithmetic; on a
 * GPU that has not been measured. Rows that attend to a cache take the plain ones.
 */
export function attentionKernels({ isSoftware, kernels }: Pick<Gpu, "isSoftware" | "kernels">): typeof ATTENTION {
  return isSoftware && kernels.basic === "subgroups" ? ATTENTION_SUBGROUP : ATTENTION;
}
