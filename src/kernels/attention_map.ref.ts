/**
 * CPU twins of shaders/attention_map.wgsl. P[n, i, ·] = softmax over the keys 0 … row of scale·q·kᵀ, for asked row i and
 * head n: lse log Σ exp of its scores, weights P itself, mean over the heads asked, mass summed over sets of keys.
 */
import type { attentionMapLse, attentionMapMass, attentionMapMean, attentionMapWeights } from "./attention_map.ts";
import { at, type KernelTwin, type Numbers } from "./twin.ts";

interface Shape {
  readonly rows: number;
  readonly NH: number;
  readonly KVH: number;
  readonly D: number;
  readonly scale: number;
}

/** scale·q·k of an asked row and head with a key. */
function score(
  { q, k, asked }: Readonly<Record<"q" | "k" | "asked", Numbers>>,
  { rows, NH, KVH, D, scale }: Shape,
  [i, n, key]: readonly [number, number, number],
): number {
  const head = at(asked, rows + n);
  let sum = 0;
  for (let c = 0; c < D; c++) {
    sum += at(q, (at(asked, i) * NH + head) * D + c) * at(k, (key * KVH + Math.floor((head * KVH) / NH)) * D + c);
  }
  return scale * sum;
}

export const attentionMapLseRef: KernelTwin<typeof attentionMapLse> = ({ sums, ...read }, params) => {
  for (let i = 0; i < params.rows; i++) {
    for (let n = 0; n < params.heads; n++) {
      const scores = Array.from({ length: at(read.asked, i) + 1 }, (_, key) => score(read, params, [i, n, key]));
      const top = Math.max(...scores);
      sums[i * params.heads + n] = top + Math.log(scores.reduce((sum, value) => sum + Math.exp(value - top), 0));
    }
  }
};

type Known = Readonly<Record<"q" | "k" | "asked" | "known", Numbers>>;

function probability(
  read: Known,
  params: Shape & { readonly heads: number },
  i: number,
  n: number,
  key: number,
): number {
  const known = at(read.known, i * params.heads + n);
  return key > at(read.asked, i) ? 0 : Math.exp(score(read, params, [i, n, key]) - known);
}

export const attentionMapWeightsRef: KernelTwin<typeof attentionMapWeights> = ({ probabilities, ...read }, params) => {
  const { rows, heads, keys } = params;
  for (let n = 0; n < heads; n++) {
    for (let i = 0; i < rows; i++) {
      for (let key = 0; key < keys; key++) {
        probabilities[(n * rows + i) * keys + key] = probability(read, params, i, n, key);
      }
    }
  }
};

export const attentionMapMeanRef: KernelTwin<typeof attentionMapMean> = ({ probabilities, ...read }, params) => {
  const { rows, heads, keys } = params;
  for (let i = 0; i < rows; i++) {
    for (let key = 0; key < keys; key++) {
      let sum = 0;
      for (let n = 0; n < heads; n++) {
        sum += probability(read, params, i, n, key);
      }
      probabilities[i * keys + key] = sum / heads;
    }
  }
};

export const attentionMapMassRef: KernelTwin<typeof attentionMapMass> = (
  { starts, members, masses, ...read },
  params,
) => {
  const { rows, heads, sets, first } = params;
  for (let s = 0; s < sets; s++) {
    for (let i = 0; i < rows; i++) {
      for (let n = 0; n < heads; n++) {
        let sum = 0;
        for (let m = at(starts, s); m < at(starts, s + 1); m++) {
          sum += probability(read, params, i, n, at(members, m));
        }
        masses[first + (s * rows + i) * heads + n] = sum;
      }
    }
  }
};
