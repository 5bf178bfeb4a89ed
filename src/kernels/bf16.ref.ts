/** bf16, the upper half of an f32, as shaders/tsne_affinities.wgsl writes it and shaders/tsne.wgsl reads it. */
import { at, type Numbers } from "./twin.ts";

/** Bits of the nearest bf16, ties to even; finite and not negative. */
export function bf16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? NaN;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** P[j, i] of words (S/2,S): the lower half for even j, the upper for odd. */
export function affinityAt(words: Numbers, S: number, j: number, i: number): number {
  const word = at(words, (j >> 1) * S + i);
  const half = j % 2 === 0 ? word << 16 : word & 0xffff0000;
  return new Float32Array(Uint32Array.of(half >>> 0).buffer)[0] ?? NaN;
}
