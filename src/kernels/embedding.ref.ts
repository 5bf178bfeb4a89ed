/** CPU twin of shaders/embedding.wgsl: x[t] = W[ids[t] − n0] for the ids in n0 … n0 + N − 1, other rows untouched. */
import type { embeddingGather } from "./embedding.ts";
import { at, type KernelTwin } from "./twin.ts";
import { weightAt } from "./weights.ref.ts";

export const embeddingGatherRef: KernelTwin<typeof embeddingGather> = (
  { ids, words, scales, x },
  { rows, C, N, Np, n0 },
  constants,
) => {
  for (let row = 0; row < rows; row++) {
    const n = at(ids, row) - n0;
    if (n < 0 || n >= N) continue;
    for (let c = 0; c < C; c++) {
      x[row * C + c] = weightAt({ words, scales, K: C, Np }, constants, n, c);
    }
  }
};
