/**
 * CPU twins of shaders/dpo.wgsl:
 *   sum   sums[side] (+)= Σ (label logit − log-sum-exp) over the rows
 *   loss  m = β[(log π_w − ref_w) − (log π_l − ref_l) − λ·max(0, ref_w − log π_w)];
 *         pair[2], pair[3] = d(pairShare·(−log σ(m)) − tokenShare·log π_w)/d(−log π_w), /d(−log π_l)
 */
import type { dpoLoss, dpoSum } from "./dpo.ts";
import { at, type KernelTwin } from "./twin.ts";

export const dpoSumRef: KernelTwin<typeof dpoSum> = ({ stats, sums }, { rows, side, first }) => {
  let sum = first === 1 ? 0 : at(sums, side);
  for (let row = 0; row < rows; row++) {
    sum += at(stats, 4 * row + 2) - at(stats, 4 * row + 3);
  }
  sums[side] = sum;
};

export const dpoLossRef: KernelTwin<typeof dpoLoss> = (
  { pair, totals },
  { refChosen, refRejected, beta, lambda, pairShare, tokenShare },
) => {
  const [chosen, rejected] = [at(pair, 0) - refChosen, at(pair, 1) - refRejected];
  const margin = beta * (chosen - rejected - lambda * Math.max(0, -chosen));
  const slope = (pairShare * beta) / (1 + Math.exp(margin));
  pair[2] = slope * (chosen < 0 ? 1 + lambda : 1) + tokenShare;
  pair[3] = -slope;
  const loss = Math.max(-margin, 0) + Math.log1p(Math.exp(-Math.abs(margin)));
  const added = [
    ...[loss, -at(pair, 0), beta * chosen, beta * rejected],
    ...[chosen > rejected ? 1 : 0, at(pair, 0), at(pair, 1)],
  ];
  added.forEach((value, i) => (totals[i] = at(totals, i) + value));
};
