/**
 * CPU twins of shaders/rows.wgsl, rows of 4·c4 floats:
 *   gather  output[i] = input[index[i]];  scatter_add  output[index[i]] += input[i]
 *   scatter output[index[i]] = input[i]
 *   copy    destination[4·to0 + …] = input[4·from0 + …], count rows on end
 */
import type { rowsCopy, rowsGather, rowsScatter, rowsScatterAdd } from "./rows.ts";
import { at, type KernelTwin } from "./twin.ts";

export const rowsGatherRef: KernelTwin<typeof rowsGather> = ({ input, index, output }, { count, c4 }) => {
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 4 * c4; c++) {
      output[4 * c4 * i + c] = at(input, 4 * c4 * at(index, i) + c);
    }
  }
};

export const rowsScatterAddRef: KernelTwin<typeof rowsScatterAdd> = ({ input, index, output }, { count, c4 }) => {
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 4 * c4; c++) {
      const to = 4 * c4 * at(index, i) + c;
      output[to] = at(output, to) + at(input, 4 * c4 * i + c);
    }
  }
};

export const rowsScatterRef: KernelTwin<typeof rowsScatter> = ({ input, index, output }, { count, c4 }) => {
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 4 * c4; c++) {
      output[4 * c4 * at(index, i) + c] = at(input, 4 * c4 * i + c);
    }
  }
};

export const rowsCopyRef: KernelTwin<typeof rowsCopy> = ({ input, destination }, { count, c4, from0, to0 }) => {
  for (let i = 0; i < 4 * c4 * count; i++) {
    destination[4 * to0 + i] = at(input, 4 * from0 + i);
  }
};
