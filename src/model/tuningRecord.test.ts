import { expect, test } from "vitest";
import { chooseKernels } from "../gpu/kernelChoice.ts";
import { forwardKernel, backwardKernel } from "./kernelFamilies.ts";
import { fittingRecord, tunedChoice, tuningSources, variantsOf, withMeasured } from "./tuningRecord.ts";
import { layoutConstants } from "./weights.ts";

const card = { subgroupSize: 32, isSoftware: false };
const own = { adapter: "card: driver 2", version: "1", sources: "ab" };
const many = { direction: "forward", rowClass: "many" } as const;
const product = {
  ...{ ...many, layout: "q4 symmetric", rows: 256, K: 64, N: 64 },
  candidates: variantsOf(card, many).map(({ family, constants }, index) => ({
    ...{ family, constants: { ...constants } },
    milliseconds: index === 0 ? null : family === "tiled" ? 2 : 3,
  })),
};
const record = withMeasured(null, own, [product]);

test("a record of another driver, version or other kernels is discarded", () => {
  expect(fittingRecord(record, own, card)).toEqual(record);
  expect(fittingRecord({ ...record, adapter: "card: driver 1" }, own, card)).toBeNull();
  expect(fittingRecord({ ...record, version: "0" }, own, card)).toBeNull();
  expect(fittingRecord({ ...record, sources: "cd" }, own, card)).toBeNull();
});

test("a damaged record is ignored, and one with kernels that this device is not offered", () => {
  for (const damaged of [
    null,
    undefined,
    "",
    7,
    [],
    {},
    { ...record, products: "none" },
    { ...record, products: [{}] },
  ])
    expect(fittingRecord(damaged, own, card)).toBeNull();
  const of = (change: object) =>
    fittingRecord(
      { ...record, products: [{ ...product, candidates: [{ ...product.candidates[1], ...change }] }] },
      own,
      card,
    );
  expect(of({})).not.toBeNull();
  expect(of({ constants: { WG: 7 } })).toBeNull();
  expect(of({ family: "fused" })).toBeNull();
  expect(of({ milliseconds: -1 })).toBeNull();
  expect(of({ milliseconds: null })).toBeNull();
  expect(fittingRecord(record, own, { ...card, subgroupSize: 0 })).toBeNull();
});

test("the fastest runs what it was measured for, and nothing else", () => {
  const gpu = { kernels: tunedChoice(record, card.subgroupSize) };
  const layout = layoutConstants("q4", "scale");
  expect(forwardKernel(gpu, layout, 256).kernel.name).toBe("linear_tiled.forward");
  expect(forwardKernel(gpu, layout, 16).kernel.name).toBe("linear_subgroup.forward");
  expect(forwardKernel(gpu, layoutConstants("q4", "scaleMin"), 256).kernel.name).toBe("linear_subgroup.forward");
  expect(backwardKernel(gpu, layout, 256).kernel.name).toBe("linear_subgroup.backward");
});

test("what is measured anew takes the place of what was known, and the rest stays", () => {
  const other = { ...product, direction: "backward" as const };
  const quicker = { ...product, candidates: product.candidates.slice(0, 2) };
  expect(withMeasured(withMeasured(record, own, [other]), own, [quicker]).products).toEqual([other, quicker]);
});

test("first of the variants is what runs without a record", () => {
  for (const subgroupSize of [0, 32]) {
    const { basic, linear } = chooseKernels("auto", subgroupSize);
    for (const direction of ["forward", "backward"] as const) {
      expect(variantsOf({ ...card, subgroupSize }, { direction, rowClass: "many" })[0]).toEqual({
        family: linear,
        constants: {},
      });
    }
    expect(variantsOf({ ...card, subgroupSize }, { direction: "forward", rowClass: "one" })[0]?.family).toBe(basic);
  }
});

test("sources are hashed with the variants that are offered", async () => {
  expect(await tuningSources(card)).toMatch(/^[0-9a-f]{64}$/);
  expect(await tuningSources(card)).toBe(await tuningSources({ ...card }));
  expect(await tuningSources(card)).not.toBe(await tuningSources({ ...card, isSoftware: true }));
});
