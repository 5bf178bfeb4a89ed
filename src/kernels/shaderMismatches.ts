/** Compares a kernel's definition with what its shader declares, without a GPU, for tests. */
import { ResourceType, type VariableInfo, WgslReflect } from "wgsl_reflect";
import { type KernelDefinition, kernelShader } from "../gpu/kernel.ts";

/** WebGPU guarantees this many storage buffers a shader stage. */
const MAX_STORAGE_BUFFERS = 8;

/** A value exported by a kernel module, if it is a kernel. */
export function isKernel(value: unknown): value is KernelDefinition {
  return typeof value === "object" && value !== null && "entryPoint" in value && "bindings" in value;
}

/** The compute entry points of a shader. */
export function entryPoints(kernel: KernelDefinition): string[] {
  return reflect(kernel).entry.compute.map(({ name }) => name);
}

/** One sentence for each way in which definition and shader differ; empty when they agree. */
export function shaderMismatches(kernel: KernelDefinition): string[] {
  const shader = reflect(kernel);
  const entry = shader.entry.compute.find(({ name }) => name === kernel.entryPoint);
  if (entry === undefined) {
    return [`expected an entry point ${kernel.entryPoint}, got ${entryPoints(kernel).join(", ")}`];
  }
  const used = entry.resources.toSorted((a, b) => a.binding - b.binding);
  const storage = used.filter(({ resourceType }) => resourceType === ResourceType.Storage);
  const uniforms = used.filter(({ resourceType }) => resourceType !== ResourceType.Storage);
  const bindings = Object.entries(kernel.bindings);
  const sentences = [
    difference("name", [kernel.name.slice(kernel.name.indexOf(".") + 1)], [kernel.entryPoint]),
    difference(
      "storage bindings",
      bindings.map(([name, access], binding) => `0.${binding} ${access} ${name}`),
      storage.map(({ group, binding, access, name }) => `${group}.${binding} ${access} ${name}`),
    ),
    difference(
      "uniform",
      [`0.${bindings.length} Params`],
      uniforms.map(({ group, binding, type }) => `${group}.${binding} ${type.name}`),
    ),
    difference(
      "Params",
      Object.entries(kernel.params).map(([name, type], index) => `${type} ${name} at ${4 * index}`),
      uniforms.flatMap(fieldsOf),
    ),
    difference(
      "override constants",
      Object.keys(kernel.constants).toSorted(),
      shader.overrides.map(({ name }) => name).toSorted(),
    ),
    storage.length > MAX_STORAGE_BUFFERS
      ? `expected at most ${MAX_STORAGE_BUFFERS} storage buffers, got ${storage.length}`
      : null,
  ];
  return sentences.filter((sentence) => sentence !== null);
}

function reflect(kernel: KernelDefinition): WgslReflect {
  return new WgslReflect(kernelShader(kernel).code);
}

function fieldsOf({ members }: VariableInfo): string[] {
  return (members ?? []).map(({ type, name, offset }) => `${type.name} ${name} at ${offset}`);
}

function difference(what: string, defined: readonly string[], declared: readonly string[]): string | null {
  return defined.join() === declared.join()
    ? null
    : `expected ${what} as the module has them, ${defined.join(", ")}, got ${declared.join(", ")} in the shader`;
}
