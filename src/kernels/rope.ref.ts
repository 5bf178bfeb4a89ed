/**
 * CPU twin of shaders/rope.wgsl: each pair (2i, 2i+1) of a head turns by the angle whose (cos, sin) stands in
 * table[positions[t]][i], or by its negative (sign −1, the gradient).
 */
import type { ropeRotate } from "./rope.ts";
import { at, type KernelTwin } from "./twin.ts";

export const ropeRotateRef: KernelTwin<typeof ropeRotate> = ({ x, table, positions }, { rows, width, D, sign }) => {
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < width; c += 2) {
      const turn = at(positions, row) * D + (c % D);
      const cos = at(table, turn);
      const sin = sign * at(table, turn + 1);
      const i = row * width + c;
      const [even, odd] = [at(x, i), at(x, i + 1)];
      x[i] = even * cos - odd * sin;
      x[i + 1] = even * sin + odd * cos;
    }
  }
};
