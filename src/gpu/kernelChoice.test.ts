import { expect, test } from "vitest";
import { chooseKernels, lacking } from "./kernelChoice.ts";

test("a device with subgroups of eight lanes or more runs them, another one does not", () => {
  expect(chooseKernels("auto", 8)).toMatchObject({ basic: "subgroups", linear: "subgroups" });
  expect(chooseKernels("auto", 4)).toMatchObject({ basic: "registers", linear: "registers" });
  expect(chooseKernels("tiled", 0)).toMatchObject({ basic: "registers", linear: "tiled" });
  expect(chooseKernels("registers", 32)).toMatchObject({ basic: "registers", linear: "registers" });
  expect(() => chooseKernels("subgroups", 0)).toThrow(/^expected subgroups of at least 8 lanes .*, got none/u);
});

test("f16 is never chosen by itself, and asked for where there is none it says what there is", () => {
  expect(chooseKernels("auto", 32, true)).toEqual(chooseKernels("auto", 32, false));
  expect(chooseKernels("tiled-f16", 32, true)).toMatchObject({ basic: "subgroups", linear: "tiled-f16" });
  expect(chooseKernels("tiled-f16", 0, true)).toMatchObject({ basic: "registers", linear: "tiled-f16" });
  expect(() => chooseKernels("tiled-f16", 32)).toThrow(
    'expected the feature shader-f16 for the kernels "tiled-f16", got subgroups of 32 lanes, but no f16, on this adapter (choose auto, registers, subgroups or tiled)',
  );
  expect(() => chooseKernels("tiled-f16", 4)).toThrow(
    "got neither f16 nor wide subgroups on this adapter (choose auto, registers or tiled)",
  );
});

test("a recorded choice with subgroups or f16 anywhere needs them", () => {
  const plain = chooseKernels("tiled", 0);
  const tuned = { "forward q4 one": { family: "subgroups", constants: { WG: 32 } } } as const;
  const none = { subgroupSize: 0, hasF16: false };
  expect(lacking(plain, none)).toBeNull();
  expect(lacking(chooseKernels("auto", 8), { ...none, subgroupSize: 4 })).toBe("subgroups");
  expect(lacking({ ...plain, tuned }, none)).toBe("subgroups");
  expect(lacking({ ...plain, tuned }, { ...none, subgroupSize: 8 })).toBeNull();
  expect(lacking(chooseKernels("tiled-f16", 0, true), none)).toBe("shader-f16");
  expect(lacking(chooseKernels("tiled-f16", 0, true), { ...none, hasF16: true })).toBeNull();
});
