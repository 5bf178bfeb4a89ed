import { expect, test } from "vitest";
import { missingFeatures } from "./missingFeatures.ts";

test("says of each feature that an adapter lacks what that means, and nothing where it has all", () => {
  expect(missingFeatures(["shader-f16", "subgroups", "timestamp-query", "depth-clip-control"], false)).toEqual([]);
  expect(missingFeatures(["shader-f16"], true).map((line) => line.split(":")[0])).toEqual([
    "No subgroups",
    "No timestamp queries",
  ]);
  expect(missingFeatures([], false)).toHaveLength(3);
  expect(missingFeatures(["shader-f16", "subgroups", "timestamp-query"], true)).toEqual([
    "Subgroups of fewer than eight lanes: those kernels cannot run here, registers and tiled do.",
  ]);
});
