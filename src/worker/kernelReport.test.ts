import { expect, test } from "vitest";
import { chooseKernels } from "../gpu/kernelChoice.ts";
import { modelProducts, tunedChoice, withMeasured } from "../model/tuningRecord.ts";
import { layoutConstants } from "../model/weights.ts";
import { kernelReport } from "./kernelReport.ts";

const constants = layoutConstants("q4", "scale");
const buffer = {} as GPUBuffer; // only measuring would read it
const part = { n0: 0, N: 64, Np: 64, words: buffer, scales: buffer, constants };
const products = modelProducts([{ name: "w", N: 64, K: 32, parts: [part] }]);
const own = { adapter: "card", version: "1", sources: "ab" };
const times = (registers: number, subgroups: number, wide: number, tiled: number | null) => [
  { family: "registers" as const, constants: {}, milliseconds: registers },
  { family: "subgroups" as const, constants: {}, milliseconds: subgroups },
  { family: "subgroups" as const, constants: { WG: 64 }, milliseconds: wide },
  { family: "tiled" as const, constants: {}, milliseconds: tiled },
];
const many = { rowClass: "many", layout: "q4 symmetric", rows: 256, K: 32, N: 64 } as const;
const record = withMeasured(null, own, [
  { ...many, direction: "backward", candidates: times(4, 3, 1, null) },
  { ...many, direction: "forward", candidates: times(4, 3, 2, 1) },
]);

test("what was measured runs, each family with its fastest; the rest runs what suits the device", () => {
  const report = kernelReport("auto", tunedChoice(record, 32), record, products, () => true);
  expect(report.products.map(({ direction, rowClass, runs }) => `${direction} ${rowClass}: ${runs}`)).toEqual([
    ...["forward many: tiled", "backward many: subgroups", "forward one: subgroups"],
    ...["forward few: subgroups", "backward few: subgroups"],
  ]);
  const [forward, backward, one] = report.products;
  expect(forward?.families.subgroups).toEqual({
    milliseconds: 2,
    gflops: (2 * 256 * 32 * 64) / 2e6,
    sizes: { WG: 64 },
  });
  expect(backward?.families.tiled).toBeUndefined();
  expect([forward?.weights, forward?.measured]).toEqual([["Q4_0"], "256 × 32 by 32 × 64"]);
  expect([one?.families, one?.measured]).toEqual([{}, null]);
});

test("what is forced runs everywhere, and what was measured is still told", () => {
  const report = kernelReport("tiled", chooseKernels("tiled", 32), record, products, () => true);
  const runs = report.products.map(({ runs }) => runs);
  expect(runs).toEqual(["tiled", "tiled", "subgroups", "tiled", "tiled"]); // a row has no tiles
  expect(report.products[0]?.families.registers?.milliseconds).toBe(4);
});

test("an adapter without subgroups is not offered them", () => {
  const report = kernelReport(
    "auto",
    chooseKernels("auto", 0),
    null,
    products,
    (setting) => setting !== "subgroups" && setting !== "tiled-f16",
  );
  expect(report.available).toEqual(["auto", "registers", "tiled"]);
  expect(report.products.map(({ runs }) => runs)).toEqual(Array(5).fill("registers"));
  expect(report.measuredAt).toBeNull();
});
