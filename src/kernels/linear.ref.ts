/**
 * CPU twins of shaders/linear.wgsl, W (N, K) quantized:
 *   forward   y[t][n0 + n] (+)= Σ_k x[t][k]·W[n][k]
 *   backward  dx[t][k]     (+)= Σ_n dy[t][n0 + n]·W[n][k]
 */
import type { linearBackward, linearForward, linearForwardRow } from "./linear.ts";
import { at, type KernelTwin } from "./twin.ts";
import { weightAt } from "./weights.ref.ts";

export const linearForwardRef: KernelTwin<typeof linearForward> = (
  { x, words, scales, y },
  { rows, K, N, Np, n0, stride, accumulate },
  constants,
) => {
  for (let n = 0; n < N; n++) {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let k = 0; k < K; k++) {
        sum += at(x, row * K + k) * weightAt({ words, scales, K, Np }, constants, n, k);
      }
      const to = row * stride + n0 + n;
      y[to] = (accumulate === 1 ? at(y, to) : 0) + sum;
    }
  }
};

export const linearForwardRowRef: KernelTwin<typeof linearForwardRow> = linearForwardRef;

export const linearBackwardRef: KernelTwin<typeof linearBackward> = (
  { dy, words, scales, dx },
  { rows, K, N, Np, n0, stride, accumulate },
  constants,
) => {
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < K; k++) {
      let sum = 0;
      for (let n = 0; n < N; n++) {
        sum += at(dy, row * stride + n0 + n) * weightAt({ words, scales, K, Np }, constants, n, k);
      }
      const to = row * K + k;
      dx[to] = (accumulate === 1 ? at(dx, to) : 0) + sum;
    }
  }
};
