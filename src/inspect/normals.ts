/** Normal random numbers (Box & Muller 1958) from the counter-based generator of the kernels: the seed's, everywhere alike. */
import { pcg } from "../kernels/random.ref.ts";

/** @returns (count), mean 0, variance 1 */
export function normals(count: number, seed: number): Float64Array {
  const base = pcg(seed >>> 0);
  const uniform = (i: number): number => (pcg((base + i) >>> 0) + 1) / (2 ** 32 + 1);
  return Float64Array.from({ length: count }, (_, i) => {
    return Math.sqrt(-2 * Math.log(uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1));
  });
}
