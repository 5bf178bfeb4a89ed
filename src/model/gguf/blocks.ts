/**
 * What the blocks of ggml's quantized types mean (ggml-quants.c; Python `gguf` quants.py):
 *   w[k] = scale(g) · q[k] + min(g),   g = the group of 16 or 32 values that k lies in.
 * q, scale and min are chosen so that this f32 expression, rounded once at the end, gives exactly the value that
 * Python's `gguf.dequantize` gives: f16 scale (11 bits) × 6..8-bit sub-scale × quant always fits f32's 24 bits, so
 * every product is exact. Where a type has no minimum, min is -0, the only addend that also keeps a zero's sign.
 */
import type { GgmlType } from "./types.ts";

const NO_MIN = -0;

// value = significand · F16_UNIT[exponent]; exponent 0 (subnormals) shares exponent 1's unit.
const F16_UNIT = Array.from({ length: 32 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 25));

/** IEEE 754 binary16 bits to the number, exact for subnormals too; every NaN becomes NaN. */
export function f16ToNumber(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  let magnitude: number;
  if (exponent === 0x1f) magnitude = fraction === 0 ? Infinity : NaN;
  else magnitude = (exponent === 0 ? fraction : fraction + 0x400) * (F16_UNIT[exponent] ?? 0);
  return (bits & 0x8000) === 0 ? magnitude : -magnitude;
}

/** binary16 bits to binary32 bits; exact, NaN payloads kept. */
export function f16ToF32Bits(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  const shift = Math.clz32(fraction) - 21; // brings the leading one to bit 10
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

export interface BlockFormat {
  /** values that share one scale and minimum */
  readonly groupSize: 16 | 32;
  /** The quants 4·i .. 4·i+3 of the block that starts at byte `at`, as four signed bytes, the first lowest. */
  quad(view: DataView, at: number, i: number): number;
  scale(view: DataView, at: number, group: number): number;
  min(view: DataView, at: number, group: number): number;
}

function f16At(view: DataView, at: number): number {
  return f16ToNumber(view.getUint16(at, true));
}

/** 32 nibbles from 16 bytes: low nibbles are values 0..15, high nibbles 16..31. */
function nibbles32(view: DataView, at: number, i: number): number {
  return (view.getUint32(at + 4 * (i & 3), true) >>> (i & 4)) & 0x0f0f0f0f;
}

/** 256 nibbles from 128 bytes: each run of 32 bytes holds 32 values in low nibbles, then 32 in high ones. */
function nibbles256(view: DataView, at: number, i: number): number {
  return (view.getUint32(at + 32 * (i >> 4) + 4 * (i & 7), true) >>> ((i & 8) >> 1)) & 0x0f0f0f0f;
}

/** Bits 4·i .. 4·i+3 of a 32-bit mask, moved to bit 4 of four bytes. */
function fifthBits32(view: DataView, at: number, i: number): number {
  const bits = (view.getUint8(at + (i >> 1)) >>> (4 * (i & 1))) & 0xf;
  return ((bits & 1) << 4) | ((bits & 2) << 11) | ((bits & 4) << 18) | ((bits & 8) << 25);
}

/** Four unsigned bytes minus 2^bit (their values lie below 2^(bit+1)), as signed bytes. */
function minusPowerOfTwo(word: number, bit: 3 | 4 | 5): number {
  const flag = 0x01010101 << bit;
  const flipped = word ^ flag; // the offset subtracted, as a (bit+1)-bit two's complement number …
  return flipped | Math.imul(flipped & flag, (0x100 >> bit) - 2); // … its sign copied to the bits above
}

/** The 6-bit scale of 32-value group 0..7 of a Q4_K or Q5_K block; `at` is the first of its 12 packed bytes. */
export function kScale(view: DataView, at: number, group: number): number {
  if (group < 4) return view.getUint8(at + group) & 0x3f;
  return (view.getUint8(at + 4 + group) & 0x0f) | ((view.getUint8(at + group - 4) >> 2) & 0x30);
}

/** The 6-bit minimum of 32-value group 0..7 of a Q4_K or Q5_K block; `at` is the first of its 12 packed bytes. */
export function kMin(view: DataView, at: number, group: number): number {
  if (group < 4) return view.getUint8(at + 4 + group) & 0x3f;
  return (view.getUint8(at + 4 + group) >> 4) | ((view.getUint8(at + group) >> 2) & 0x30);
}

const noMin = () => NO_MIN;
const kGroupScale = (view: DataView, at: number, group: number) => f16At(view, at) * kScale(view, at + 4, group);
const kGroupMin = (view: DataView, at: number, group: number) => -(f16At(view, at + 2) * kMin(view, at + 4, group));

export const BLOCK_FORMATS = {
  // d: f16, 16 bytes of nibbles; w = d·(q - 8)
  Q4_0: {
    groupSize: 32,
    quad: (view, at, i) => minusPowerOfTwo(nibbles32(view, at + 2, i), 3),
    scale: f16At,
    min: noMin,
  },
  // d, m: f16, 16 bytes of nibbles; w = d·q + m
  Q4_1: {
    groupSize: 32,
    quad: (view, at, i) => nibbles32(view, at + 4, i),
    scale: f16At,
    min: (view, at) => f16At(view, at + 2),
  },
  // d: f16, 32 fifth bits, 16 bytes of nibbles; w = d·(q - 16)
  Q5_0: {
    groupSize: 32,
    quad: (view, at, i) => minusPowerOfTwo(nibbles32(view, at + 6, i) | fifthBits32(view, at + 2, i), 4),
    scale: f16At,
    min: noMin,
  },
  // d, m: f16, 32 fifth bits, 16 bytes of nibbles; w = d·q + m
  Q5_1: {
    groupSize: 32,
    quad: (view, at, i) => nibbles32(view, at + 8, i) | fifthBits32(view, at + 4, i),
    scale: f16At,
    min: (view, at) => f16At(view, at + 2),
  },
  // d: f16, 32 signed bytes; w = d·q
  Q8_0: {
    groupSize: 32,
    quad: (view, at, i) => view.getInt32(at + 2 + 4 * i, true),
    scale: f16At,
    min: noMin,
  },
  // d, dmin: f16, 12 bytes of 6-bit scales and minima, 128 bytes of nibbles; w = (d·sc)·q - dmin·m
  Q4_K: {
    groupSize: 32,
    quad: (view, at, i) => nibbles256(view, at + 16, i),
    scale: kGroupScale,
    min: kGroupMin,
  },
  // as Q4_K with 32 bytes of fifth bits (bit g of byte j: group g, value j) before the nibbles
  Q5_K: {
    groupSize: 32,
    quad: (view, at, i) =>
      nibbles256(view, at + 48, i) | (((view.getUint32(at + 16 + 4 * (i & 7), true) >>> (i >> 3)) & 0x01010101) << 4),
    scale: kGroupScale,
    min: kGroupMin,
  },
  // 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, d: f16; w = (d·sc)·(q - 32).
  // Each half of 128 values: nibbles low then high of 64 bytes; bit pairs 0..3 of 32 bytes.
  Q6_K: {
    groupSize: 16,
    quad: (view, at, i) => {
      const low = view.getUint32(at + 64 * (i >> 5) + 4 * (i & 15), true) >>> ((i & 16) >> 2);
      const high = view.getUint32(at + 128 + 32 * (i >> 5) + 4 * (i & 7), true) >>> (2 * ((i >> 3) & 3));
      return minusPowerOfTwo((low & 0x0f0f0f0f) | ((high & 0x03030303) << 4), 5);
    },
    scale: (view, at, group) => f16At(view, at + 208) * view.getInt8(at + 192 + group),
    min: noMin,
  },
} as const satisfies Partial<Record<GgmlType, BlockFormat>>;

export type QuantizedType = keyof typeof BLOCK_FORMATS;

export function isQuantized(type: GgmlType): type is QuantizedType {
  return type in BLOCK_FORMATS;
}
