/**
 * Which of the kernels that compute the same a device runs, as data: what is kept from one visit to the next, and what a
 * checkpoint records, since sums in another order give other bits. model/kernelFamilies.ts knows the kernels.
 */

/** What one may ask for: "auto" is what suits the device. */
export const KERNEL_SETTINGS = ["auto", "registers", "subgroups", "tiled"] as const;
export type KernelSetting = (typeof KERNEL_SETTINGS)[number];
export type FamilyName = Exclude<KernelSetting, "auto">;

/** A family, with override constants of its kernels other than their defaults. */
export interface KernelVariant {
  readonly family: FamilyName;
  readonly constants: Readonly<Record<string, number>>;
}

export interface KernelChoice {
  /** Of LoRA's products, and of linear products of one or two rows: "tiled" has no kernels of its own for them. */
  readonly basic: "registers" | "subgroups";
  /** Of all other products of linear layers. */
  readonly linear: FamilyName;
  /** What was measured to be faster, by what it is for: "forward LAYOUT=0 … many". */
  readonly tuned: Readonly<Record<string, KernelVariant>>;
  /** When it was measured (ISO 8601), null where nothing was. */
  readonly measuredAt: string | null;
}

/** Lanes that read the rows of a tile for each other in the family "subgroups". */
const SUBGROUP_LANES = 8;

/**
 * The choice before anything is measured.
 * @throws Error where the device cannot run what is asked for
 */
export function chooseKernels(setting: KernelSetting, subgroupSize: number): KernelChoice {
  const canSubgroups = subgroupSize >= SUBGROUP_LANES;
  if (setting === "subgroups" && !canSubgroups) {
    throw new Error(
      `expected subgroups of at least ${SUBGROUP_LANES} lanes for the kernels "subgroups", got ${subgroupSize === 0 ? "none" : subgroupSize} on this adapter (choose auto, registers or tiled)`,
    );
  }
  const basic = canSubgroups && setting !== "registers" ? "subgroups" : "registers";
  return { basic, linear: setting === "auto" ? basic : setting, tuned: {}, measuredAt: null };
}

/** Whether a device can run a choice that was made before. */
export function canRun({ basic, linear, tuned }: KernelChoice, subgroupSize: number): boolean {
  const families = [basic, linear, ...Object.values(tuned).map(({ family }) => family)];
  return subgroupSize >= SUBGROUP_LANES || !families.includes("subgroups");
}
