/**
 * CPU twins of shaders/contrastive.wgsl:
 *   pool      e_v = mean over v's rows and the heads of x
 *   loss      cosines_v = (ê_0·ê_v, |e_v|), z = Σ sign_v·cos_v, total += (−log σ(z), 1), de = d(−log σ(z))/de
 *   scatter   dx[row] += weight/heads·Σ de_v/|rows of v| over the vectors v of the row, the same in every head
 */
import type { contrastiveLoss, contrastivePool, contrastiveScatter } from "./contrastive.ts";
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
  { vectors, signs, cosines, de, total },
  { V, D },
) => {
  const lengths = Array.from({ length: V }, (_, v) => Math.sqrt(dot(vectors, v, v, D)));
  const length = (v: number): number => lengths[v] ?? NaN;
  let z = 0;
  for (let v = 0; v < V; v++) {
    cosines.set([dot(vectors, 0, v, D) / (length(0) * length(v)), length(v)], 2 * v);
    z += v === 0 ? 0 : at(signs, v) * at(cosines, 2 * v);
  }
  const slope = -1 / (1 + Math.exp(z));
  de.fill(0, 0, V * D);
  for (let v = 1; v < V; v++) {
    for (let d = 0; d < D; d++) {
      const [type, own] = [at(vectors, d) / length(0), at(vectors, v * D + d) / length(v)];
      const factor = slope * at(signs, v);
      de[d] = at(de, d) + (factor * (own - at(cosines, 2 * v) * type)) / length(0);
      de[v * D + d] = (factor * (type - at(cosines, 2 * v) * own)) / length(v);
    }
  }
  total.set([at(total, 0) + Math.log1p(Math.exp(-z)), at(total, 1) + 1]);
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
