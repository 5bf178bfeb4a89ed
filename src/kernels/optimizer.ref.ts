/**
 * CPU twins of shaders/optimizer.wgsl:
 *   square_sums  partials[first + i] = Σ g² of the i-th SQUARES_PER_GROUP elements
 *   clip         norm = gradScale·sqrt(Σ sums);  state = (norm, gradScale·min(1, maxNorm/(norm + 1e-6)), norm is finite)
 *   update       Adam on g·factor with decoupled weight decay, only if finite:
 *                m ← β1·m + (1 − β1)·g;  v ← β2·v + (1 − β2)·g²;
 *                w ← w − learningRate·(m/correction1/(sqrt(v/correction2) + eps) + weightDecay·w)
 */
import { SQUARES_PER_GROUP } from "./optimizer.ts";
import type { adamUpdate, clipByGlobalNorm, squareSums } from "./optimizer.ts";
import { at, type KernelTwin } from "./twin.ts";

export const squareSumsRef: KernelTwin<typeof squareSums> = ({ g, partials }, { count, first }) => {
  for (let start = 0; start < count; start += SQUARES_PER_GROUP) {
    let sum = 0;
    for (let i = start; i < Math.min(start + SQUARES_PER_GROUP, count); i++) {
      sum += at(g, i) ** 2;
    }
    partials[first + start / SQUARES_PER_GROUP] = sum;
  }
};

export const clipByGlobalNormRef: KernelTwin<typeof clipByGlobalNorm> = (
  { sums, state },
  { groups, gradScale, maxNorm },
) => {
  let squares = 0;
  for (let i = 0; i < groups; i++) {
    squares += at(sums, i);
  }
  const norm = gradScale * Math.sqrt(squares);
  state[0] = norm;
  state[1] = gradScale * (maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1);
  state[2] = Number.isFinite(norm) ? 1 : 0;
};

export const adamUpdateRef: KernelTwin<typeof adamUpdate> = (
  { g, decided, m, v, weights },
  { count, learningRate, beta1, beta2, eps, weightDecay, correction1, correction2 },
) => {
  if (at(decided, 2) !== 1) return;
  for (let i = 0; i < count; i++) {
    const grad = at(g, i) * at(decided, 1);
    const newM = beta1 * at(m, i) + (1 - beta1) * grad;
    const newV = beta2 * at(v, i) + (1 - beta2) * grad ** 2;
    const update = newM / correction1 / (Math.sqrt(newV / correction2) + eps);
    m[i] = newM;
    v[i] = newV;
    weights[i] = at(weights, i) - learningRate * (update + weightDecay * at(weights, i));
  }
};
