/**
 * CPU twins of shaders/dpo.wgsl:
 *   sum      logps_a = Σ (label logit − log-sum-exp) over the targets of answer a
 *   loss     of each pair m = β[(log π_w − ref_w) − (log π_l − ref_l) − λ·max(0, ref_w − log π_w)];
 *            slopes = d(pairShare·(−log σ(m)) − tokenShare·log π_w)/d(−log π_w), /d(−log π_l)
 *   factors  factors_i = Σ slopes_a over the answers a of target i
 */
import type { dpoFactors, dpoLoss, dpoSum } from "./dpo.ts";
import { at, type KernelTwin } from "./twin.ts";

export const dpoSumRef: KernelTwin<typeof dpoSum> = ({ starts, members, stats, logps }, { count }) => {
  for (let answer = 0; answer < count; answer++) {
    let sum = 0;
    for (let i = at(starts, answer); i < at(starts, answer + 1); i++) {
      sum += at(stats, 4 * at(members, i) + 2) - at(stats, 4 * at(members, i) + 3);
    }
    logps[answer] = sum;
  }
};

export const dpoLossRef: KernelTwin<typeof dpoLoss> = (
  { policy, references, slopes, totals },
  { count, beta, lambda, pairShare, tokenShare },
) => {
  for (let pair = 0; pair < count; pair++) {
    const [logChosen, logRejected] = [at(policy, 2 * pair), at(policy, 2 * pair + 1)];
    const [chosen, rejected] = [logChosen - at(references, 2 * pair), logRejected - at(references, 2 * pair + 1)];
    const margin = beta * (chosen - rejected - lambda * Math.max(0, -chosen));
    const slope = (pairShare * beta) / (1 + Math.exp(margin));
    slopes.set([slope * (chosen < 0 ? 1 + lambda : 1) + tokenShare, -slope], 2 * pair);
    const loss = Math.max(-margin, 0) + Math.log1p(Math.exp(-Math.abs(margin)));
    const right = chosen > rejected ? 1 : 0;
    const added = [loss, -logChosen, beta * chosen, beta * rejected, right, logChosen, logRejected];
    added.forEach((value, i) => (totals[i] = at(totals, i) + value));
  }
};

export const dpoFactorsRef: KernelTwin<typeof dpoFactors> = ({ starts, members, slope_of, factors_of }, { count }) => {
  for (let target = 0; target < count; target++) {
    let sum = 0;
    for (let i = at(starts, target); i < at(starts, target + 1); i++) {
      sum += at(slope_of, at(members, i));
    }
    factors_of[target] = sum;
  }
};
