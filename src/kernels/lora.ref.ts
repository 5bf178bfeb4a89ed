/**
 * CPU twins of shaders/lora.wgsl (R: rank, C: columns, drop: inverted dropout at index row·C + column):
 *   down  out (T,R)  = scale·drop(x (T,C))·m (R,C)ᵀ
 *   up    out (T,C) += scale·drop(h (T,R)·m (R,C))
 *   grad  out (R,C) += scale·h (T,R)ᵀ·drop(xg (T,C))
 */
import type { loraDown, loraGrad, loraUp } from "./lora.ts";
import { dropoutFactor } from "./random.ref.ts";
import { at, type KernelTwin } from "./twin.ts";

interface Dropout {
  readonly seed: number;
  readonly threshold: number;
  readonly keep: number;
}

function drop({ seed, threshold, keep }: Dropout, value: number, index: number): number {
  return threshold === 0 ? value : value * dropoutFactor(seed, index, threshold, keep);
}

export const loraDownRef: KernelTwin<typeof loraDown> = ({ x, m, out }, { rows, R, C, scale, ...dropout }) => {
  for (let row = 0; row < rows; row++) {
    for (let r = 0; r < R; r++) {
      let sum = 0;
      for (let c = 0; c < C; c++) {
        sum += drop(dropout, at(x, row * C + c), row * C + c) * at(m, r * C + c);
      }
      out[row * R + r] = scale * sum;
    }
  }
};

export const loraUpRef: KernelTwin<typeof loraUp> = ({ h, m, out }, { rows, R, C, scale, ...dropout }) => {
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let r = 0; r < R; r++) {
        sum += at(h, row * R + r) * at(m, r * C + c);
      }
      const to = row * C + c;
      out[to] = at(out, to) + scale * drop(dropout, sum, row * C + c);
    }
  }
};

export const loraGradRef: KernelTwin<typeof loraGrad> = ({ h, xg, out }, { rows, R, C, scale, ...dropout }) => {
  for (let r = 0; r < R; r++) {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        sum += at(h, row * R + r) * drop(dropout, at(xg, row * C + c), row * C + c);
      }
      out[r * C + c] = at(out, r * C + c) + scale * sum;
    }
  }
};
