// What the page shows of the choice of kernels: each kind of product, what runs it, and what was measured.

import {
  FAMILY_NAMES,
  type FamilyName,
  type KernelChoice,
  KERNEL_SETTINGS,
  type KernelSetting,
} from "../gpu/kernelChoice.ts";
import { LAYOUT_OF, scaleKind } from "../model/gguf/pack.ts";
import { GGML_TYPE_NAMES, type GgmlType } from "../model/gguf/types.ts";
import { layoutName, type Work, WORKS } from "../model/kernelFamilies.ts";
import { best, type MeasuredProduct, type ModelProduct, type TuningRecord, unmeasured } from "../model/tuningRecord.ts";
import { layoutConstants } from "../model/weights.ts";
import type { KernelProduct, KernelReport, KernelTime } from "./protocol.ts";

/**
 * @param choice what the setting comes to
 * @param can whether the adapter can run a setting
 * @param products of the model on the GPU; none where there is none
 */
export function kernelReport(
  setting: KernelSetting,
  choice: KernelChoice,
  record: TuningRecord | null,
  products: readonly ModelProduct[],
  can: (setting: KernelSetting) => boolean,
): KernelReport {
  const standard = ({ direction, rowClass }: Work): FamilyName =>
    direction === "forward" && rowClass === "one" ? choice.basic : choice.linear;
  const measured = (record?.products ?? []).map((product) => ({
    ...placeOf(product, product.layout),
    measured: `${product.rows} × ${product.K} by ${product.K} × ${product.N}`,
    runs: (setting === "auto" ? best(product)?.family : undefined) ?? standard(product),
    families: familiesOf(product),
  }));
  const others = unmeasured(record, products).map((product) => ({
    ...placeOf(product, layoutName(product.layout)),
    measured: null,
    runs: standard(product),
    families: {},
  }));
  return {
    setting,
    available: KERNEL_SETTINGS.filter(can),
    measuredAt: record?.measuredAt ?? null,
    products: [...measured, ...others].sort((a, b) => placeIn(a) - placeIn(b)),
  };
}

function placeOf({ direction, rowClass }: Work, layout: string) {
  return { direction, rowClass, weights: typesOf(layout) };
}

/** By weights, and then what training spends its time on first. */
function placeIn({ weights: [type = "F32"], direction, rowClass }: KernelProduct): number {
  const work = WORKS.findIndex((each) => each.direction === direction && each.rowClass === rowClass);
  return WORKS.length * GGML_TYPE_NAMES.findIndex((name) => name === type) + work;
}

/** GGUF types of weights that lie so. */
function typesOf(layout: string): GgmlType[] {
  return GGML_TYPE_NAMES.filter((type) => layoutName(layoutConstants(LAYOUT_OF[type], scaleKind(type))) === layout);
}

/** The fastest of each family that was measured. */
function familiesOf(product: MeasuredProduct): KernelProduct["families"] {
  const flops = 2 * product.rows * product.K * product.N;
  const found: Partial<Record<FamilyName, KernelTime>> = {};
  for (const family of FAMILY_NAMES) {
    const candidates = product.candidates.filter((candidate) => candidate.family === family);
    const fastest = best({ ...product, candidates });
    if (fastest === null) continue;
    const milliseconds = fastest.milliseconds ?? NaN;
    found[family] = { milliseconds, gflops: flops / milliseconds / 1e6, sizes: fastest.constants };
  }
  return found;
}
