/**
 * CPU twins of shaders/tsne_affinities.wgsl:
 *   distances  m[j, i] = |x_j − x_i|²
 *   calibrate  column i becomes p_{j|i} = exp(−β_i m[j, i]) / Σ_k exp(−β_i m[k, i]), its entropy the asked one
 *   join       (p_{j|i} + p_{i|j}) / 2n as bf16, two rows a word
 */
import { bf16 } from "./bf16.ref.ts";
import type { tsneCalibrate, tsneDistances, tsneJoin } from "./tsne_affinities.ts";
import { at, type KernelTwin } from "./twin.ts";

export const tsneDistancesRef: KernelTwin<typeof tsneDistances> = ({ x, m }, { S, d, first, count }) => {
  for (let j = 4 * first; j < Math.min(4 * (first + count), S); j++) {
    for (let i = 0; i < S; i++) {
      let sum = 0;
      for (let k = 0; k < d; k++) {
        sum += (at(x, k * S + i) - at(x, k * S + j)) ** 2;
      }
      m[j * S + i] = sum;
    }
  }
};

const STEPS = 200;
const TOLERANCE = 1e-12;

export const tsneCalibrateRef: KernelTwin<typeof tsneCalibrate> = ({ matrix }, { n, S, first, count, entropy }) => {
  for (let i = first; i < Math.min(first + count, S); i++) {
    const column = Array.from({ length: S }, (_, j) => at(matrix, j * S + i));
    const others = column.map((_, j) => j).filter((j) => j !== i && j < n && i < n);
    const nearest = Math.min(...others.map((j) => column[j] ?? NaN));
    const weigh = (beta: number): { weights: number[]; total: number; difference: number } => {
      const weights = column.map((value) => Math.exp(-beta * (value - nearest)));
      let [total, spread] = [0, 0];
      for (const j of others) {
        total += weights[j] ?? NaN;
        spread += ((column[j] ?? NaN) - nearest) * (weights[j] ?? NaN);
      }
      return { weights, total, difference: Math.log(total) + (beta * spread) / total - entropy };
    };
    let [beta, low, high] = [1, 0, Infinity];
    for (let step = 0; step < STEPS; step++) {
      const { difference } = weigh(beta);
      if (Math.abs(difference) <= TOLERANCE || beta > 1e30 || beta < 1e-30) {
        break;
      }
      [low, high] = difference > 0 ? [beta, high] : [low, beta];
      beta = high === Infinity ? 2 * beta : (low + high) / 2;
    }
    const { weights, total } = weigh(beta);
    column.forEach((_, j) => (matrix[j * S + i] = others.includes(j) ? (weights[j] ?? NaN) / total : 0));
  }
};

export const tsneJoinRef: KernelTwin<typeof tsneJoin> = ({ conditional, words }, { n, S, first, count }) => {
  const joint = (j: number, i: number): number => (at(conditional, j * S + i) + at(conditional, i * S + j)) / (2 * n);
  for (let j2 = first; j2 < Math.min(first + count, S / 2); j2++) {
    for (let i = 0; i < S; i++) {
      words[j2 * S + i] = (bf16(joint(2 * j2, i)) | (bf16(joint(2 * j2 + 1, i)) << 16)) >>> 0;
    }
  }
};
