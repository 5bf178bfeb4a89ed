/**
 * CPU twins of shaders/cross_entropy.wgsl, a supervised row at a time, the vocabulary in chunks n0 … n0 + N − 1:
 *   accumulate  stats (maximum, Σ exp(logit − maximum), logit of the label, log Σ exp(logit)) over the chunks so far
 *   finish      total += (Σ over rows of lse − logit of the label, number of rows)
 *   backward    dlogits ← (exp(logit − lse) − [n is the label])·factors[row · perRow]
 */
import type { crossEntropyAccumulate, crossEntropyBackward, crossEntropyFinish } from "./cross_entropy.ts";
import { at, type KernelTwin } from "./twin.ts";

export const crossEntropyAccumulateRef: KernelTwin<typeof crossEntropyAccumulate> = (
  { logits, labels, stats },
  { n0, N, stride, first, rows },
) => {
  for (let row = 0; row < rows; row++) {
    let top = first === 1 ? -1e30 : at(stats, 4 * row);
    let sum = first === 1 ? 0 : at(stats, 4 * row + 1);
    let labelLogit = first === 1 ? 0 : at(stats, 4 * row + 2);
    for (let n = 0; n < N; n++) {
      const logit = at(logits, row * stride + n);
      const newTop = Math.max(top, logit);
      sum = sum * Math.exp(top - newTop) + Math.exp(logit - newTop);
      top = newTop;
      if (at(labels, row) === n0 + n) labelLogit = logit;
    }
    stats.set([top, sum, labelLogit, top + Math.log(sum)], 4 * row);
  }
};

export const crossEntropyFinishRef: KernelTwin<typeof crossEntropyFinish> = ({ finished, total }, { N }) => {
  for (let row = 0; row < N; row++) {
    total[0] = at(total, 0) + at(finished, 4 * row + 3) - at(finished, 4 * row + 2);
  }
  total[1] = at(total, 1) + N;
};

export const crossEntropyBackwardRef: KernelTwin<typeof crossEntropyBackward> = (
  { dlogits, labels, saved, factors },
  { n0, N, stride, perRow, rows },
) => {
  for (let row = 0; row < rows; row++) {
    for (let n = 0; n < N; n++) {
      const i = row * stride + n;
      const probability = Math.exp(at(dlogits, i) - at(saved, 4 * row + 3));
      dlogits[i] = (probability - (at(labels, row) === n0 + n ? 1 : 0)) * at(factors, row * perRow);
    }
  }
};
