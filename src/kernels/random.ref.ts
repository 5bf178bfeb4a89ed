/** CPU twin of shaders/shared/random.wgsl: the same integers, bit for bit. */

/** PCG's output permutation of a 32-bit counter (O'Neill 2014; Jarzynski & Olano 2020). */
export function pcg(counter: number): number {
  const state = (Math.imul(counter, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

/** Inverted dropout's factor for one element: 0 with probability threshold/2³², else `keep` = 1/(1 − rate). */
export function dropoutFactor(seed: number, index: number, threshold: number, keep: number): number {
  return pcg((index + pcg(seed)) >>> 0) < threshold ? 0 : keep;
}
