/** CPU twins of shaders/halves.wgsl: to the nearest f16, of two as near ones the even one (IEEE 754). */
import type { halvesPack, halvesUnpack } from "./halves.ts";
import { at, type KernelTwin } from "./twin.ts";

const LARGEST = 65504;

export const halvesPackRef: KernelTwin<typeof halvesPack> = ({ x, packed }, { count4 }) => {
  for (let i = 0; i < 2 * count4; i++) {
    packed[i] = (halfBits(at(x, 2 * i)) | (halfBits(at(x, 2 * i + 1)) << 16)) >>> 0;
  }
};

export const halvesUnpackRef: KernelTwin<typeof halvesUnpack> = ({ halves, y }, { count4 }) => {
  for (let i = 0; i < 4 * count4; i++) {
    y[i] = halfValue((at(halves, i >> 1) >>> (16 * (i & 1))) & 0xffff);
  }
};

function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.min(Math.abs(value), LARGEST);
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const unit = 2 ** (exponent - 10);
  const units = roundHalfEven(size / unit);
  // A value rounded up to the next power of two carries into the exponent by itself.
  return sign | (units + (exponent + 14) * 1024);
}

function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
