/** Seeded random arrays for tests. */
import { pcg } from "./random.ref.ts";

export class TestRandom {
  #counter: number;

  constructor(seed: number) {
    this.#counter = pcg(seed);
  }

  /** Uniform u32. */
  u32(): number {
    return pcg(this.#counter++ >>> 0);
  }

  /** An integer in 0 … below − 1. */
  integer(below: number): number {
    return this.u32() % below;
  }

  uniform(low: number, high: number): number {
    return low + ((high - low) * this.u32()) / 2 ** 32;
  }

  /** About normal (the sum of twelve uniform numbers), rounded to f32. */
  normal(count: number, deviation = 1): Float32Array<ArrayBuffer> {
    return Float32Array.from({ length: count }, () => {
      let sum = -6;
      for (let i = 0; i < 12; i++) sum += this.uniform(0, 1);
      return sum * deviation;
    });
  }

  /** The same, held in f64. */
  normal64(count: number, deviation = 1): Float64Array<ArrayBuffer> {
    return Float64Array.from(this.normal(count, deviation));
  }
}

/** NaN in every place: what must be overwritten, or must not be touched. */
export function garbage(count: number): Float32Array<ArrayBuffer> {
  return new Float32Array(count).fill(NaN);
}
