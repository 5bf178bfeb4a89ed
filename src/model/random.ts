/**
 * Counter-based random numbers on the CPU, from the hash that the shaders use (shaders/shared/random.wgsl). A value
 * depends on (seed, index) alone, so that a resumed run draws the same ones.
 */
import { pcg } from "../kernels/random.ref.ts";

/** Uniform in [-1, 1), exact in f32 (24 random bits). */
export function uniform(seed: number, index: number): number {
  return (pcg((index + pcg(seed)) >>> 0) >>> 8) * 2 ** -24 * 2 - 1;
}

/** A seed from a name: PCG chained over its UTF-8 bytes, from `start`. */
export function nameSeed(name: string, start = 0): number {
  let seed = start >>> 0;
  for (const byte of new TextEncoder().encode(name)) {
    seed = pcg((seed ^ byte) >>> 0);
  }
  return seed;
}

/** Fisher–Yates shuffle of 0 … count − 1, by (seed, draw). */
export function shuffledOrder(count: number, seed: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = pcg((i + pcg(seed)) >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
