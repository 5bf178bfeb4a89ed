/**
 * CPU twins of shaders/tsne.wgsl, with q_ij = 1/(1 + |y_i − y_j|²) and P read from its bf16 words:
 *   forces      sums = (Σ p q (y_i − y_j), Σ q² (y_i − y_j)) of each split, normals = Σ q of each workgroup, i ≠ j
 *   update      g = 4 (exaggeration Σ p q (y_i − y_j) − Σ q² (y_i − y_j)/Z), then a step with gains and momentum
 *   divergence  parts = (Σ p log(p/q), Σ q) of each four points and split
 */
import { affinityAt } from "./bf16.ref.ts";
import type { tsneDivergence, tsneForces, tsneUpdate } from "./tsne.ts";
import { at, type KernelTwin, type Numbers } from "./twin.ts";

const SMALLEST_GAIN = 0.01;

/** Differences y_i − y_j and q of a pair. */
function pair(positions: Numbers, i: number, j: number): { dx: number; dy: number; q: number } {
  const dx = at(positions, 2 * i) - at(positions, 2 * j);
  const dy = at(positions, 2 * i + 1) - at(positions, 2 * j + 1);
  return { dx, dy, q: 1 / (1 + dx * dx + dy * dy) };
}

export const tsneForcesRef: KernelTwin<typeof tsneForces> = (
  { affinities, positions, sums, normals },
  { S, splits, length },
  { WG = 1 },
) => {
  const across = Math.ceil(S / 4 / WG);
  normals.fill(0, 0, across * splits);
  for (let split = 0; split < splits; split++) {
    for (let i = 0; i < S; i++) {
      const sum = [0, 0, 0, 0];
      let total = 0;
      for (let j = split * length; j < Math.min((split + 1) * length, S); j++) {
        const { dx, dy, q } = pair(positions, i, j);
        const attraction = affinityAt(affinities, S, j, i) * q;
        [attraction * dx, attraction * dy, q * q * dx, q * q * dy].forEach(
          (value, k) => (sum[k] = (sum[k] ?? 0) + value),
        );
        total += i === j ? 0 : q;
      }
      sums.set(sum, 4 * (split * S + i));
      const group = split * across + Math.floor(i / 4 / WG);
      normals[group] = at(normals, group) + total;
    }
  }
};

export const tsneUpdateRef: KernelTwin<typeof tsneUpdate> = (
  { summed, normalizers, points, motion },
  { n, S, splits, groups, exaggeration, momentum, rate },
) => {
  let Z = 0;
  for (let group = 0; group < groups; group++) {
    Z += at(normalizers, group);
  }
  for (let i = 0; i < n; i++) {
    for (let axis = 0; axis < 2; axis++) {
      let [attraction, repulsion] = [0, 0];
      for (let split = 0; split < splits; split++) {
        attraction += at(summed, 4 * (split * S + i) + axis);
        repulsion += at(summed, 4 * (split * S + i) + 2 + axis);
      }
      const g = 4 * (exaggeration * attraction - repulsion / Z);
      const [step, gain] = [at(motion, 4 * i + axis), at(motion, 4 * i + 2 + axis)];
      const newGain = Math.max(step * g < 0 ? gain + 0.2 : gain * 0.8, SMALLEST_GAIN);
      const newStep = momentum * step - rate * newGain * g;
      motion[4 * i + axis] = newStep;
      motion[4 * i + 2 + axis] = newGain;
      points[2 * i + axis] = at(points, 2 * i + axis) + newStep;
    }
  }
};

export const tsneDivergenceRef: KernelTwin<typeof tsneDivergence> = (
  { affinities, positions, parts },
  { S, splits, length },
) => {
  parts.fill(0, 0, (splits * S) / 2);
  for (let split = 0; split < splits; split++) {
    for (let i = 0; i < S; i++) {
      const to = 2 * ((split * S) / 4 + Math.floor(i / 4));
      for (let j = split * length; j < Math.min((split + 1) * length, S); j++) {
        const { q } = pair(positions, i, j);
        const p = affinityAt(affinities, S, j, i);
        parts[to] = at(parts, to) + (p > 0 ? p * Math.log(p / q) : 0);
        parts[to + 1] = at(parts, to + 1) + (i === j ? 0 : q);
      }
    }
  }
};
