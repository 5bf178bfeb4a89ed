/** Every kernel module against its shader, without a GPU: names, order, types, layout, and that nothing is missing. */
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import type { KernelDefinition } from "../gpu/kernel.ts";
import { rmsnormForward } from "./rmsnorm.ts";
import { entryPoints, isKernel, shaderMismatches } from "./shaderMismatches.ts";

type Module = Readonly<Record<string, unknown>>;
const modules = import.meta.glob<Module>(["./*.ts", "!./*.test.ts"], { eager: true });
const tests = Object.keys(import.meta.glob("./*.test.ts"));
const shaders = Object.keys(import.meta.glob("../../shaders/*.wgsl")).map((path) => basename(path, ".wgsl"));
const fragments = Object.keys(import.meta.glob("../../shaders/shared/*.wgsl")).map((path) => basename(path, ".wgsl"));

function kernelsOf(file: string): [string, KernelDefinition][] {
  return Object.entries(modules[`./${file}.ts`] ?? {}).filter((entry): entry is [string, KernelDefinition] =>
    isKernel(entry[1]),
  );
}

test("there are shaders", () => {
  expect(shaders.length).toBeGreaterThan(9);
});

describe.each(shaders)("shaders/%s.wgsl", (file) => {
  const kernels = kernelsOf(file);

  test("has a module, a twin of each kernel and tests", () => {
    expect(Object.keys(modules)).toContain(`./${file}.ts`);
    expect(tests).toContain(`./${file}.test.ts`);
    const twins = modules[`./${file}.ref.ts`] ?? {};
    expect(Object.keys(twins).toSorted()).toEqual(kernels.map(([name]) => `${name}Ref`).toSorted());
  });

  test("all its entry points are kernels, named after the file", () => {
    const first = kernels[0]?.[1];
    const declared = first === undefined ? [] : entryPoints(first);
    expect(kernels.map(([, { name }]) => name).toSorted()).toEqual(
      declared.map((name) => `${file}.${name}`).toSorted(),
    );
  });

  test.each(kernels)("%s is what the shader declares", (_, kernel) => {
    expect(shaderMismatches(kernel)).toEqual([]);
  });
});

// A reduction fixes an order of additions only: in f64 its twin is a plain sum, which its users' twins write out. The others
// hold declarations, and entry points that both kernels through tiles share and have twins of.
const WITHOUT_TWIN = ["reduce", "attention_io", "linear_io", "linear_tiles", "lora_io"];
test.each(fragments.filter((fragment) => !WITHOUT_TWIN.includes(fragment)))(
  "shaders/shared/%s.wgsl has a twin",
  (fragment) => {
    expect(Object.keys(modules)).toContain(`./${fragment}.ref.ts`);
  },
);

describe("a wrong definition is found out:", () => {
  const right = rmsnormForward as unknown as KernelDefinition;
  test.each<[string, Partial<KernelDefinition>, string]>([
    ["entry point", { entryPoint: "forwards" }, "expected an entry point forwards, got forward, backward"],
    ["name", { name: "rmsnorm.backward" }, "expected name"],
    ["binding's name", { bindings: { x: "read", w: "read", y: "read_write", rstd: "read_write" } }, "0.1 read w"],
    ["order", { bindings: { weight: "read", x: "read", y: "read_write", rstd: "read_write" } }, "0.0 read weight"],
    ["access", { bindings: { x: "read", weight: "read", y: "read", rstd: "read_write" } }, "0.2 read y"],
    ["missing binding", { bindings: { x: "read", weight: "read", y: "read_write" } }, "expected uniform"],
    ["parameter's order", { params: { eps: "f32", C: "u32", rows: "u32" } }, "f32 eps at 0"],
    ["parameter's type", { params: { C: "u32", eps: "u32", rows: "u32" } }, "u32 eps at 4"],
    ["missing parameter", { params: { C: "u32", eps: "f32" } }, "u32 rows at 8 in the shader"],
    ["constant", { constants: { WG: 64, TILE: 4 } }, "expected override constants"],
  ])("%s", (_, change, message) => {
    expect(shaderMismatches({ ...right, ...change }).join("\n")).toContain(message);
  });

  test("more storage buffers than WebGPU guarantees", () => {
    const names = Array.from({ length: 9 }, (_, i) => `b${i}`);
    const declarations = names.map(
      (name, i) => `@group(0) @binding(${i}) var<storage, read_write> ${name}: array<u32>;`,
    );
    const source = [
      ...declarations,
      "struct Params { n: u32 }",
      "@group(0) @binding(9) var<uniform> p: Params;",
      "@compute @workgroup_size(1) fn forward() {",
      ...names.map((name) => `${name}[0] = p.n;`),
      "}",
    ].join("\n");
    const kernel: KernelDefinition = {
      name: "wide.forward",
      source,
      entryPoint: "forward",
      bindings: Object.fromEntries(names.map((name) => [name, "read_write"])),
      params: { n: "u32" },
      constants: {},
      workgroups: () => [1],
    };
    expect(shaderMismatches(kernel)).toEqual(["expected at most 8 storage buffers, got 9"]);
  });
});
