/** CPU twin of shaders/shared/weights.wgsl: one weight out of the four layouts, in f64. The layouts are described there. */
import { at, type Numbers } from "./twin.ts";

/** The packed weights (N, K) of a part, Np = N rounded up to a multiple of 8. */
export interface PackedWeights {
  readonly words: Numbers;
  readonly scales: Numbers;
  readonly K: number;
  readonly Np: number;
}

/** w[n][k]. LAYOUT 0 q4 (SYMMETRIC: Q4_0), 1 q4k, 2 q8 (HALVES: Q6_K), 3 f32. */
export function weightAt(
  { words, scales, K, Np }: PackedWeights,
  { LAYOUT, HALVES, SYMMETRIC }: Readonly<Record<string, number>>,
  n: number,
  k: number,
): number {
  const word = (perWord: number): number => at(words, Math.floor(k / perWord) * Np + n);
  const block = Math.floor(k / 32);
  switch (LAYOUT) {
    case 0: {
      const q = (word(8) >>> (4 * (k % 8))) & 15;
      if (SYMMETRIC === 1) {
        const d = f16((at(scales, (block >> 1) * Np + n) >>> (16 * (block % 2))) & 0xffff);
        return d * q - 8 * d;
      }
      const scale = at(scales, block * Np + n);
      return f16(scale & 0xffff) * q + f16(scale >>> 16);
    }
    case 1: {
      const q = (word(8) >>> (4 * (k % 8))) & 15;
      const outer = at(scales, Math.floor(k / 256) * Np + n);
      const inner = at(scales, (K / 256) * Np + Math.floor(k / 64) * Np + n) >>> (16 * (block % 2));
      return f16(outer & 0xffff) * (inner & 255) * q - f16(outer >>> 16) * ((inner >>> 8) & 255);
    }
    case 2: {
      if (HALVES === 1) {
        const low = (word(8) >>> (4 * (k % 8))) & 15;
        const high = (at(words, (K / 8) * Np + Math.floor(k / 16) * Np + n) >>> (2 * (k % 16))) & 3;
        const bytes = at(scales, (K / 256) * Np + Math.floor(k / 64) * Np + n);
        const inner = (bytes << (24 - 8 * (Math.floor(k / 16) % 4))) >> 24;
        return f16(at(scales, Math.floor(k / 256) * Np + n) & 0xffff) * inner * ((low | (high << 4)) - 32);
      }
      const q = (word(4) << (24 - 8 * (k % 4))) >> 24;
      const pair = 2 * (block * Np + n);
      return f32(at(scales, pair)) * q + f32(at(scales, pair + 1));
    }
    case 3:
      return f32(word(1));
    default:
      throw new RangeError(`expected a LAYOUT of 0 to 3, got ${LAYOUT}`);
  }
}

/** The value of f16 bits, subnormals included. */
function f16(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

const view = new DataView(new ArrayBuffer(4));

function f32(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}
