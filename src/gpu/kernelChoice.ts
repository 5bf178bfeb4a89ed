/**
 * Which of the kernels that compute the same a device runs, as data: what is kept from one visit to the next, and what a
 * checkpoint records, since sums in another order give other bits. model/kernelFamilies.ts knows the kernels.
 */

export const FAMILY_NAMES = ["registers", "subgroups", "tiled", "tiled-f16"] as const;
export type FamilyName = (typeof FAMILY_NAMES)[number];

/**
 * What one may ask for: "auto" is what suits the device, and never "tiled-f16", which changes numbers by more than another
 * order of sums does.
 */
export const KERNEL_SETTINGS = ["auto", ...FAMILY_NAMES] as const;
export type KernelSetting = (typeof KERNEL_SETTINGS)[number];

/** A family, with override constants of its kernels other than their defaults. */
export interface KernelVariant {
  readonly family: FamilyName;
  readonly constants: Readonly<Record<string, number>>;
}

export interface KernelChoice {
  /** Of LoRA's products, and of linear products of one or two rows: tiles have no kernels of their own for them. */
  readonly basic: "registers" | "subgroups";
  /** Of all other products of linear layers. */
  readonly linear: FamilyName;
  /** What was measured to be faster, by what it is for: "forward LAYOUT=0 … many". */
  readonly tuned: Readonly<Record<string, KernelVariant>>;
  /** When it was measured (ISO 8601), null where nothing was. */
  readonly measuredAt: string | null;
}

/** What a device has that some families need. */
export interface KernelFeatures {
  /** Lanes that surely run together, 0 where the device has no subgroups. */
  readonly subgroupSize: number;
  /** Whether it has shader-f16. */
  readonly hasF16: boolean;
}

/** Lanes that read the rows of a tile for each other in the family "subgroups". */
const SUBGROUP_LANES = 8;

/**
 * The choice before anything is measured.
 * @throws Error where the device cannot run what is asked for
 */
export function chooseKernels(setting: KernelSetting, subgroupSize: number, hasF16 = false): KernelChoice {
  const canSubgroups = subgroupSize >= SUBGROUP_LANES;
  if (setting === "subgroups" && !canSubgroups) {
    throw new Error(
      `expected subgroups of at least ${SUBGROUP_LANES} lanes for the kernels "subgroups", got ${subgroupSize === 0 ? "none" : subgroupSize} on this adapter (choose auto, registers or tiled)`,
    );
  }
  if (setting === "tiled-f16" && !hasF16) {
    const [has, choices] = canSubgroups
      ? [`subgroups of ${subgroupSize} lanes, but no f16,`, "auto, registers, subgroups or tiled"]
      : ["neither f16 nor wide subgroups", "auto, registers or tiled"];
    throw new Error(
      `expected the feature shader-f16 for the kernels "tiled-f16", got ${has} on this adapter (choose ${choices})`,
    );
  }
  const basic = canSubgroups && setting !== "registers" ? "subgroups" : "registers";
  return { basic, linear: setting === "auto" ? basic : setting, tuned: {}, measuredAt: null };
}

/** What a device lacks to run a choice that was made before; null where it can. */
export function lacking(
  { basic, linear, tuned }: KernelChoice,
  has: KernelFeatures,
): "subgroups" | "shader-f16" | null {
  const families = [basic, linear, ...Object.values(tuned).map(({ family }) => family)];
  if (has.subgroupSize < SUBGROUP_LANES && families.includes("subgroups")) return "subgroups";
  return !has.hasF16 && families.includes("tiled-f16") ? "shader-f16" : null;
}
