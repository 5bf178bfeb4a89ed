/** CPU twin of shaders/head.wgsl: y[i] = x[row] · W[token − n0] of the picks whose token is in n0 … n0 + N − 1. */
import type { headPicked } from "./head.ts";
import { at, type KernelTwin } from "./twin.ts";
import { weightAt } from "./weights.ref.ts";

export const headPickedRef: KernelTwin<typeof headPicked> = (
  { x, picks, words, scales, y },
  { count, K, N, Np, n0 },
  constants,
) => {
  for (let i = 0; i < count; i++) {
    const [row, n] = [at(picks, 2 * i), at(picks, 2 * i + 1) - n0];
    if (n < 0 || n >= N) continue;
    let sum = 0;
    for (let k = 0; k < K; k++) {
      sum += at(x, row * K + k) * weightAt({ words, scales, K, Np }, constants, n, k);
    }
    y[i] = sum;
  }
};
