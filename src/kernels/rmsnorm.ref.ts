/**
 * CPU twins of shaders/rmsnorm.wgsl, a row at a time:
 *   forward   rstd = 1/sqrt(mean(x²) + eps);  y = x·rstd·weight
 *   backward  dx += rstd·(weight·dy − x·rstd²·mean(weight·dy·x))
 */
import type { rmsnormBackward, rmsnormForward } from "./rmsnorm.ts";
import { at, type KernelTwin } from "./twin.ts";

export const rmsnormForwardRef: KernelTwin<typeof rmsnormForward> = ({ x, weight, y, rstd }, { C, eps, rows }) => {
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let c = 0; c < C; c++) {
      squares += at(x, row * C + c) ** 2;
    }
    const scale = 1 / Math.sqrt(squares / C + eps);
    for (let c = 0; c < C; c++) {
      y[row * C + c] = at(x, row * C + c) * scale * at(weight, c);
    }
    rstd[row] = scale;
  }
};

export const rmsnormBackwardRef: KernelTwin<typeof rmsnormBackward> = ({ x, weight, saved, dy, dx }, { C, rows }) => {
  for (let row = 0; row < rows; row++) {
    const rstd = at(saved, row);
    let mean = 0;
    for (let c = 0; c < C; c++) {
      mean += (at(weight, c) * at(dy, row * C + c) * at(x, row * C + c)) / C;
    }
    for (let c = 0; c < C; c++) {
      const i = row * C + c;
      dx[i] = at(dx, i) + rstd * (at(weight, c) * at(dy, i) - at(x, i) * rstd ** 2 * mean);
    }
  }
};
