/**
 * CPU twins of shaders/contrastive.wgsl:
 *   pool      e_v = mean over v's rows and the heads of x
 *   loss      of prompt t: cosines_v = (ê_t·ê_v, |e_v|), z = Σ sign_v·cos_v, losses_t = −log σ(z), de = its derivative
 *   sum       total += (Σ losses, their number)
 *   scatter   dx[row] += weight/heads·Σ de_v/|rows of v| over the vectors v of the row, the same in every head
 */
import type { contrastiveLoss, contrastivePool, contrastiveScatter, contrastiveSum } from "./contrastive.ts";
import { at, type KernelTwin, type Numbers } from "./twin.ts";

export const contrastivePoolRef: KernelTwin<typeof contrastivePool> = (
  { x, starts, members, e },
  { D, heads, first, rows },
) => {
  for (let list = 0; list < rows; list++) {
    const [begin, end] = [at(starts, list), at(starts, list + 1)];
    for (let d = 0; d < D; d++) {
      let sum = 0;
      for (let i = begin; i < end; i++) {
        for (let head = 0; head < heads; head++) {
          sum += at(x, (at(members, i) * heads + head) * D + d);
        }
      }
      e[(first + list) * D + d] = sum / ((end - begin) * heads);
    }
  }
};

export const contrastiveLossRef: KernelTwin<typeof contrastiveLoss> = (
  { vectors, ranges, signs, cosines, de, losses },
  { D, rows },
) => {
  const length = (v: number): number => Math.sqrt(dot(vectors, v, v, D));
  for (let t = 0; t < rows; t++) {
    const [first, end] = [at(ranges, t), at(ranges, t + 1)];
    let z = 0;
    cosines.set([1, length(t)], 2 * t);
    for (let v = first; v < end; v++) {
      cosines.set([dot(vectors, t, v, D) / (length(t) * length(v)), length(v)], 2 * v);
      z += at(signs, v) * at(cosines, 2 * v);
    }
    const slope = -1 / (1 + Math.exp(z));
    de.fill(0, t * D, (t + 1) * D);
    for (let v = first; v < end; v++) {
      for (let d = 0; d < D; d++) {
        const [type, own] = [at(vectors, t * D + d) / length(t), at(vectors, v * D + d) / length(v)];
        const factor = slope * at(signs, v);
        de[t * D + d] = at(de, t * D + d) + (factor * (own - at(cosines, 2 * v) * type)) / length(t);
        de[v * D + d] = (factor * (type - at(cosines, 2 * v) * own)) / length(v);
      }
    }
    losses[t] = Math.log1p(Math.exp(-z));
  }
};

export const contrastiveSumRef: KernelTwin<typeof contrastiveSum> = ({ found, total }, { rows }) => {
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    sum += at(found, i);
  }
  total.set([at(total, 0) + sum, at(total, 1) + rows]);
};

function dot(vectors: Numbers, a: number, b: number, D: number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) {
    sum += at(vectors, a * D + d) * at(vectors, b * D + d);
  }
  return sum;
}

export const contrastiveScatterRef: KernelTwin<typeof contrastiveScatter> = (
  { touched, starts, members, counts, gradient, dx },
  { D, heads, rows, weight },
) => {
  for (let row = 0; row < rows; row++) {
    for (let i = at(starts, row); i < at(starts, row + 1); i++) {
      const v = at(members, i);
      for (let c = 0; c < heads * D; c++) {
        const to = at(touched, row) * heads * D + c;
        dx[to] = at(dx, to) + (weight * at(gradient, v * D + (c % D))) / (at(counts, v) * heads);
      }
    }
  }
};
