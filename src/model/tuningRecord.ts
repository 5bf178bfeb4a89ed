/** What was measured on one adapter with one set of kernels: kept from one visit to the next, and what is chosen by it. */
import * as v from "valibot";
import type { Gpu } from "../gpu/device.ts";
import { kernelShader } from "../gpu/kernel.ts";
import { chooseKernels, FAMILY_NAMES, type KernelChoice, type KernelVariant } from "../gpu/kernelChoice.ts";
import { backwardVariant, forwardVariant, tuningKey, type Work, WORKS } from "./kernelFamilies.ts";
import type { QuantizedMatrix, WeightPart } from "./weights.ts";

const variantSchema = v.object({
  family: v.picklist(FAMILY_NAMES),
  constants: v.record(v.string(), v.number()),
});

const productSchema = v.object({
  direction: v.picklist(["forward", "backward"]),
  rowClass: v.picklist(["one", "few", "many"]),
  /** As layoutName has it. */
  layout: v.string(),
  /** What was computed: x (rows, K) and W (N, K). */
  rows: v.number(),
  K: v.number(),
  N: v.number(),
  candidates: v.array(
    v.object({
      ...variantSchema.entries,
      /** Median of one product; null: not to be compiled, wrong, or out of time. */
      milliseconds: v.nullable(v.pipe(v.number(), v.gtValue(0))),
    }),
  ),
});

const recordSchema = v.object({
  adapter: v.string(),
  version: v.string(),
  sources: v.string(),
  measuredAt: v.string(),
  products: v.array(productSchema),
});

/** One kind of product, and how long each way to compute it takes, of which one was measured at least. */
export type MeasuredProduct = v.InferOutput<typeof productSchema>;
export type MeasuredCandidate = MeasuredProduct["candidates"][number];

export interface TuningIdentity {
  /** Adapter and driver, as far as they tell, and what else compiles the kernels. */
  readonly adapter: string;
  /** Of the program. */
  readonly version: string;
  /** SHA-256, see `tuningSources`. */
  readonly sources: string;
}

export interface TuningRecord extends TuningIdentity {
  /** The last time (ISO 8601). */
  readonly measuredAt: string;
  readonly products: readonly MeasuredProduct[];
}

type Device = Pick<Gpu, "subgroupSize" | "isSoftware">;

/**
 * The ways to compute a product that a device can run; first the one that runs where nothing is measured. A software
 * adapter compiles for seconds and cares little for the size of a workgroup.
 */
export function variantsOf({ subgroupSize, isSoftware }: Device, { direction, rowClass }: Work): KernelVariant[] {
  const { basic } = chooseKernels("auto", subgroupSize);
  const plain = (family: "registers" | "subgroups"): KernelVariant[] =>
    (isSoftware ? [{}] : [{}, { WG: 32 }, { WG: 64 }]).map((constants) => ({ family, constants }));
  const basics = basic === "subgroups" ? [...plain("subgroups"), ...plain("registers")] : plain("registers");
  if (direction === "forward" && rowClass === "one") return basics;
  const tiles = rowClass === "few" ? [{ WG_X: 16, WG_Y: 2 }] : isSoftware ? [{}] : [{}, { WG_X: 8, WG_Y: 4 }];
  return [...basics, ...tiles.map((constants): KernelVariant => ({ family: "tiled", constants }))];
}

/**
 * SHA-256 of all that is chosen between on a device, and of that only: sources, constants, and which variants there are.
 * Other kernels may change without making what was measured wrong.
 */
export async function tuningSources(device: Device): Promise<string> {
  const offered = WORKS.map((work) => {
    const kernels = variantsOf(device, work).map((variant) =>
      work.direction === "forward" ? forwardVariant(variant, {}, work.rowClass) : backwardVariant(variant, {}),
    );
    return kernels.map(({ kernel, constants }) => [kernel.constants, constants, kernelShader(kernel).code]);
  });
  const text = JSON.stringify(offered);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A kept record; null where it is of another adapter, driver, version or set of kernels, or is damaged: measure anew. */
export function fittingRecord(kept: unknown, own: TuningIdentity, device: Device): TuningRecord | null {
  const result = v.safeParse(recordSchema, kept);
  if (!result.success) return null;
  const record = result.output;
  if (record.adapter !== own.adapter || record.version !== own.version || record.sources !== own.sources) return null;
  const offered = (product: MeasuredProduct): boolean => {
    const variants = variantsOf(device, product).map((variant) => variantName(variant));
    return product.candidates.every((candidate) => variants.includes(variantName(candidate)));
  };
  return record.products.every((product) => offered(product) && best(product) !== null) ? record : null;
}

/** A record with what was measured now in the place of what it told of the same products. */
export function withMeasured(
  record: TuningRecord | null,
  own: TuningIdentity,
  measured: readonly MeasuredProduct[],
): TuningRecord {
  const anew = new Set(measured.map(productKey));
  const kept = record?.products.filter((product) => !anew.has(productKey(product))) ?? [];
  return { ...own, measuredAt: new Date().toISOString(), products: [...kept, ...measured] };
}

/** What is chosen by a record; what it does not tell of is as without one. */
export function tunedChoice({ products, measuredAt }: TuningRecord, subgroupSize: number): KernelChoice {
  const tuned: Record<string, KernelVariant> = {};
  for (const product of products) {
    const { family, constants } = best(product) ?? { family: null, constants: {} };
    if (family !== null) tuned[productKey(product)] = { family, constants };
  }
  return { ...chooseKernels("auto", subgroupSize), tuned, measuredAt };
}

/** A kind of product of a model's, and the weights that it is measured on: the first ones of their layout. */
export interface ModelProduct extends Work {
  readonly key: string;
  readonly layout: Readonly<Record<string, number>>;
  readonly K: number;
  readonly part: WeightPart;
}

export function modelProducts(matrices: readonly QuantizedMatrix[]): ModelProduct[] {
  const firsts = new Map<Readonly<Record<string, number>>, { K: number; part: WeightPart }>();
  for (const { K, parts } of matrices) {
    for (const part of parts) if (!firsts.has(part.constants)) firsts.set(part.constants, { K, part });
  }
  return [...firsts].flatMap(([layout, first]) =>
    WORKS.map((work) => ({ ...work, ...first, layout, key: tuningKey(work.direction, layout, work.rowClass) })),
  );
}

/** Those that a record does not tell of. */
export function unmeasured(record: Pick<TuningRecord, "products"> | null, products: readonly ModelProduct[]) {
  const known = new Set(record?.products.map(productKey));
  return products.filter(({ key }) => !known.has(key));
}

export function variantName({ family, constants }: KernelVariant): string {
  return [family, ...Object.entries(constants).map(([name, value]) => `${name}=${value}`)].join(" ");
}

export function productKey({ direction, layout, rowClass }: MeasuredProduct): string {
  return `${direction} ${layout} ${rowClass}`;
}

export function best({ candidates }: MeasuredProduct): MeasuredCandidate | null {
  let found: MeasuredCandidate | null = null;
  for (const candidate of candidates) {
    if (candidate.milliseconds !== null && candidate.milliseconds < (found?.milliseconds ?? Infinity)) {
      found = candidate;
    }
  }
  return found;
}
