/** Random quantized weights in the GPU layouts, for tests. */
import type { TestRandom } from "./testRandom.ts";

/** The override constants of each way to read weights, by the name that tests print. */
export const WEIGHT_VARIANTS = [
  { name: "q4", constants: { LAYOUT: 0 } },
  { name: "q4 symmetric", constants: { LAYOUT: 0, SYMMETRIC: 1 } },
  { name: "q4k", constants: { LAYOUT: 1 } },
  { name: "q8", constants: { LAYOUT: 2 } },
  { name: "q8 halves", constants: { LAYOUT: 2, HALVES: 1 } },
  { name: "f32", constants: { LAYOUT: 3 } },
] as const;

/** As shaders/shared/weights.wgsl reads them: (N, K), Np = N rounded up to a multiple of 8. */
interface RandomWeights {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly scales: Uint32Array<ArrayBuffer>;
  readonly N: number;
  readonly K: number;
  readonly Np: number;
}

/** Weights of about unit size: every quant occurs, scales have both signs and, in f16, subnormals among them. */
export function randomWeights(
  random: TestRandom,
  { name }: (typeof WEIGHT_VARIANTS)[number],
  N: number,
  K: number,
): RandomWeights {
  const Np = Math.ceil(N / 8) * 8;
  /** (count, Np) cells of one or more words, zero past N. */
  const cells = (count: number, cell: () => number[]): Uint32Array<ArrayBuffer> => {
    const zeros = cell().map(() => 0);
    return Uint32Array.from(Array.from({ length: count * Np }, (_, i) => (i % Np < N ? cell() : zeros)).flat());
  };
  const anyWords = (count: number) => cells(count, () => [random.u32()]);
  const scale = (size: number) => random.uniform(-size, size);
  const f16Pair = (low: number, high: number) => f16(random, low) | (f16(random, high) << 16);
  const sizes = { N, K, Np };
  switch (name) {
    case "q4":
      return { ...sizes, words: anyWords(K / 8), scales: cells(K / 32, () => [f16Pair(scale(0.2), scale(1.6))]) };
    case "q4 symmetric": {
      const pairs = () => [f16Pair(scale(0.2), K % 64 === 0 ? scale(0.2) : 0)];
      return { ...sizes, words: anyWords(K / 8), scales: cells(Math.ceil(K / 64), pairs) };
    }
    case "q4k": {
      const outer = cells(K / 256, () => [f16Pair(scale(0.006), scale(0.05))]);
      const inner = cells(K / 64, () => [random.u32() & 0x3f3f3f3f]); // 6-bit scales and minima
      return { ...sizes, words: anyWords(K / 8), scales: Uint32Array.from([...outer, ...inner]) };
    }
    case "q8":
      return { ...sizes, words: anyWords(K / 4), scales: cells(K / 32, () => [f32(scale(0.015)), f32(scale(1))]) };
    case "q8 halves":
      return {
        ...sizes,
        words: anyWords(K / 8 + K / 16),
        scales: Uint32Array.from([...cells(K / 256, () => [f16(random, scale(0.0008))]), ...anyWords(K / 64)]),
      };
    case "f32":
      return { ...sizes, words: cells(K, () => [f32(scale(2))]), scales: new Uint32Array(1) };
  }
}

/** f16 bits of about `value`, truncated; one in eight is any subnormal instead, which a careless decoder flushes. */
function f16(random: TestRandom, value: number): number {
  if (random.integer(8) === 0) return random.u32() & 0x83ff;
  const bits = f32(value);
  const exponent = Math.max(((bits >>> 23) & 255) - 112, 1);
  return ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 1023);
}

const view = new DataView(new ArrayBuffer(4));

function f32(value: number): number {
  view.setFloat32(0, value);
  return view.getUint32(0);
}
