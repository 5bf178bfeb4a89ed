import { expect, test } from "vitest";
import { canRun, chooseKernels } from "./kernelChoice.ts";

test("a device with subgroups of eight lanes or more runs them, another one does not", () => {
  expect(chooseKernels("auto", 8)).toMatchObject({ basic: "subgroups", linear: "subgroups" });
  expect(chooseKernels("auto", 4)).toMatchObject({ basic: "registers", linear: "registers" });
  expect(chooseKernels("tiled", 0)).toMatchObject({ basic: "registers", linear: "tiled" });
  expect(chooseKernels("registers", 32)).toMatchObject({ basic: "registers", linear: "registers" });
  expect(() => chooseKernels("subgroups", 0)).toThrow(/^expected subgroups of at least 8 lanes .*, got none/u);
});

test("a recorded choice with subgroups anywhere needs them", () => {
  const plain = chooseKernels("tiled", 0);
  const tuned = { "forward q4 one": { family: "subgroups", constants: { WG: 32 } } } as const;
  expect(canRun(plain, 0)).toBe(true);
  expect(canRun(chooseKernels("auto", 8), 4)).toBe(false);
  expect(canRun({ ...plain, tuned }, 0)).toBe(false);
  expect(canRun({ ...plain, tuned }, 8)).toBe(true);
});
