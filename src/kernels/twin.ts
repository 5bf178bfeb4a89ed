/**
 * CPU twins: every kernel has one in <file>.ref.ts, named after it with "Ref", with the same bindings and parameters by
 * name. Twins are plain loops in f64 and write to their bindings in place, so the kernel can be compared with its twin
 * and the twin's forward be differentiated by finite differences.
 */
import type { KernelDefinition } from "../gpu/kernel.ts";

/** A flat binding: f64 where the kernel has f32, or u32. */
export type Numbers = Float64Array | Float32Array | Uint32Array;

/** The twin of kernel K. `constants`: the override constants it ran with, defaults included. */
export type KernelTwin<K> =
  K extends KernelDefinition<infer B, infer P>
    ? (
        bindings: Readonly<Record<B, Numbers>>,
        params: Readonly<Record<P, number>>,
        constants: Readonly<Record<string, number>>,
      ) => void
    : never;

/** values[index]; throws outside of the array, where a kernel would read whatever lies there. */
export function at(values: Numbers, index: number): number {
  const value = values[index];
  if (value === undefined) {
    throw new RangeError(`expected an index below ${values.length}, got ${index}`);
  }
  return value;
}
