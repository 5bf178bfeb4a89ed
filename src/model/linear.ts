/** Dispatches of the quantized linear kernels: over the parts of a matrix, in pieces of bounded work. */
import type { CommandQueue } from "../gpu/queue.ts";
import { backwardKernel, forwardKernel } from "./kernelFamilies.ts";
import { type RowPiece, rowPieces } from "./rowPieces.ts";
import type { QuantizedMatrix } from "./weights.ts";

/** Multiply-adds one dispatch may take, under the 100 ms at which drivers' watchdogs and desktops begin to suffer. */
const MAX_WORK = { gpu: 8e9, software: 5e8 };
/** Rows of a piece are a multiple of this, so that its first byte lies on a multiple of 256. */
const ROW_ALIGNMENT = 64;

/** y (rows, N) (+)= x (rows, K)·Wᵀ. */
export function forwardLinear(
  queue: CommandQueue,
  w: QuantizedMatrix,
  x: GPUBuffer,
  rows: number,
  y: GPUBuffer,
  accumulate = false,
): void {
  for (const part of w.parts) {
    const { kernel, constants } = forwardKernel(queue.gpu, part.constants, rows);
    for (const piece of pieces(queue, rows, w.K * part.N)) {
      queue.dispatch(
        kernel,
        {
          x: rowSlice(x, piece, w.K, rows),
          words: part.words,
          scales: part.scales,
          y: rowSlice(y, piece, w.N, rows),
        },
        {
          rows: piece.count,
          K: w.K,
          N: part.N,
          Np: part.Np,
          n0: part.n0,
          stride: w.N,
          accumulate: accumulate ? 1 : 0,
        },
        constants,
        piece.count * w.K * part.N,
      );
    }
  }
}

/** dX (rows, K) (+)= dY (rows, N)·W. */
export function backwardLinear(
  queue: CommandQueue,
  w: QuantizedMatrix,
  dy: GPUBuffer,
  rows: number,
  dx: GPUBuffer,
  accumulate: boolean,
): void {
  w.parts.forEach((part, index) => {
    const { kernel, constants } = backwardKernel(queue.gpu, part.constants, rows);
    for (const piece of pieces(queue, rows, w.K * part.N)) {
      queue.dispatch(
        kernel,
        {
          dy: rowSlice(dy, piece, w.N, rows),
          words: part.words,
          scales: part.scales,
          dx: rowSlice(dx, piece, w.K, rows),
        },
        {
          rows: piece.count,
          K: w.K,
          N: part.N,
          Np: part.Np,
          n0: part.n0,
          stride: w.N,
          accumulate: accumulate || index > 0 ? 1 : 0,
        },
        constants,
        piece.count * w.K * part.N,
      );
    }
  });
}

function pieces({ gpu }: CommandQueue, rows: number, workPerRow: number): RowPiece[] {
  return rowPieces(rows, workPerRow, gpu.isSoftware ? MAX_WORK.software : MAX_WORK.gpu, ROW_ALIGNMENT);
}

function rowSlice(buffer: GPUBuffer, { first, count }: RowPiece, width: number, rows: number) {
  return first === 0 && count === rows ? buffer : { buffer, offset: first * width * 4, size: count * width * 4 };
}
