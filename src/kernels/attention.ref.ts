/**
 * CPU twins of shaders/attention.wgsl, the softmax written out in full. Query row t attends to the keys
 * first … end − 1 of its entry (first, end, parent, users) of segments, then to those of the entry `parent`, and so on up;
 * the rows t … users − 1 attend to row t. A call takes the rows from `first`; head h reads key/value head h/(NH/KVH):
 *   forward      P = softmax(scale·q·kᵀ), o = P·v, stats = (lse, 0)
 *   backward_q   delta = dO·O;  dS = P∘(dO·vᵀ − delta);  dq = scale·dS·k;  stats.y = delta
 *   backward_kv  dv = Pᵀ·dO;  dk = scale·dSᵀ·q over the query rows below users; never on cached keys
 */
import type { attentionBackwardKv, attentionBackwardQ, attentionForward } from "./attention.ts";
import { at, type KernelTwin, type Numbers } from "./twin.ts";

/** Σ a[i + c]·b[j + c] over one head. */
function dot(D: number, a: Numbers, i: number, b: Numbers, j: number): number {
  let sum = 0;
  for (let c = 0; c < D; c++) {
    sum += at(a, i + c) * at(b, j + c);
  }
  return sum;
}

/** Where the head of a row begins in a (rows, heads·D) binding. */
function headAt(row: number, heads: number, head: number, D: number): number {
  return (row * heads + head) * D;
}

/** Above a root. */
const NONE = 0xffffffff;

/** The keys that a query row attends to. */
function keysOf(segments: Numbers, row: number): number[] {
  const keys: number[] = [];
  for (let entry = row; entry !== NONE; entry = at(segments, 4 * entry + 2)) {
    for (let j = at(segments, 4 * entry); j < at(segments, 4 * entry + 1); j++) {
      keys.push(j);
    }
  }
  return keys;
}

export const attentionForwardRef: KernelTwin<typeof attentionForward> = (
  { q, k, v, segments, o, stats },
  { first, rows, heads, kvHeads, D, scale },
) => {
  for (let row = first; row < first + rows; row++) {
    const keys = keysOf(segments, row);
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor((head * kvHeads) / heads);
      const query = headAt(row, heads, head, D);
      const scores = keys.map((j) => scale * dot(D, q, query, k, headAt(j, kvHeads, kvHead, D)));
      const top = Math.max(...scores);
      const lse = top + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - top), 0));
      for (let c = 0; c < D; c++) {
        o[query + c] = scores.reduce((sum, score, i) => {
          return sum + Math.exp(score - lse) * at(v, headAt(keys[i] ?? NaN, kvHeads, kvHead, D) + c);
        }, 0);
      }
      stats.set([lse, 0], 2 * (row * heads + head));
    }
  }
};

export const attentionBackwardQRef: KernelTwin<typeof attentionBackwardQ> = (
  { q, k, v, segments, o_saved, stats, d_o, dq },
  { first, rows, heads, kvHeads, D, scale },
) => {
  for (let row = first; row < first + rows; row++) {
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor((head * kvHeads) / heads);
      const query = headAt(row, heads, head, D);
      const stat = 2 * (row * heads + head);
      const delta = dot(D, d_o, query, o_saved, query);
      stats[stat + 1] = delta;
      dq.fill(0, query, query + D);
      for (const j of keysOf(segments, row)) {
        const key = headAt(j, kvHeads, kvHead, D);
        const p = Math.exp(scale * dot(D, q, query, k, key) - at(stats, stat));
        const ds = p * (dot(D, d_o, query, v, key) - delta);
        for (let c = 0; c < D; c++) {
          dq[query + c] = at(dq, query + c) + scale * ds * at(k, key + c);
        }
      }
    }
  }
};

export const attentionBackwardKvRef: KernelTwin<typeof attentionBackwardKv> = (
  { q, k, v, segments, d_o, stats_saved, dk, dv },
  { first, rows, heads, kvHeads, D, scale },
) => {
  dk.fill(0, first * kvHeads * D, (first + rows) * kvHeads * D);
  dv.fill(0, first * kvHeads * D, (first + rows) * kvHeads * D);
  for (let row = first; row < first + rows; row++) {
    for (let i = row; i < at(segments, 4 * row + 3); i++) {
      for (let head = 0; head < heads; head++) {
        const key = headAt(row, kvHeads, Math.floor((head * kvHeads) / heads), D);
        const query = headAt(i, heads, head, D);
        const stat = 2 * (i * heads + head);
        const p = Math.exp(scale * dot(D, q, query, k, key) - at(stats_saved, stat));
        const ds = p * (dot(D, d_o, query, v, key) - at(stats_saved, stat + 1));
        for (let c = 0; c < D; c++) {
          dv[key + c] = at(dv, key + c) + p * at(d_o, query + c);
          dk[key + c] = at(dk, key + c) + scale * ds * at(q, query + c);
        }
      }
    }
  }
};
