/** CPU twins of shaders/random_weights.wgsl: the same words, bit for bit. */
import { pcg } from "./random.ref.ts";
import type { randomScales, randomWords } from "./random_weights.ts";
import type { KernelTwin } from "./twin.ts";

function draw(i: number, stream: number, seed: number): number {
  return pcg((2 * i + stream + pcg(seed)) >>> 0);
}

export const randomWordsRef: KernelTwin<typeof randomWords> = (
  { words },
  { count, N, Np, seed },
  { LAYOUT = 0, HALVES, SYMMETRIC },
) => {
  for (let i = 0; i < count; i++) {
    const [a, b] = [draw(i, 0, seed), draw(i, 1, seed)];
    let word: number;
    if (LAYOUT <= 1) {
      word = ((a & 0x77777777) + (b & 0x77777777) + (SYMMETRIC === 1 ? 0x11111111 : 0)) >>> 0;
    } else if (LAYOUT === 2 && HALVES === 1) {
      word = a;
    } else if (LAYOUT === 2) {
      word = ((((a & 0x7f7f7f7f) + (b & 0x7f7f7f7f)) >>> 0) ^ 0x80808080) >>> 0;
    } else {
      const sum = (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
      word = f32((sum - 131070) * Math.fround(5.2e-7));
    }
    words[i] = i % Np < N ? word : 0;
  }
};

export const randomScalesRef: KernelTwin<typeof randomScales> = (
  { scales },
  { count, N, Np, K, seed },
  { LAYOUT = 0, HALVES, SYMMETRIC },
) => {
  for (let i = 0; i < count; i++) {
    const j = draw(i, 0, seed) & 7;
    let word = 0;
    let n = i % Np;
    if (LAYOUT === 0 && SYMMETRIC === 1) {
      word = f16((8 + j) * 2 ** -11) | (f16((8 + (draw(i, 1, seed) & 7)) * 2 ** -11) << 16);
    } else if (LAYOUT === 0) {
      const d = (8 + j) * 2 ** -11;
      word = (f16(d) | (f16(-7 * d) << 16)) >>> 0;
    } else if (LAYOUT === 1) {
      const [even, odd] = [32 + 4 * j, 32 + 4 * (draw(i, 1, seed) & 7)];
      word =
        i < Math.floor(K / 256) * Np
          ? f16(2 ** -13) | (f16(7 * 2 ** -13) << 16)
          : even | (even << 8) | (odd << 16) | (odd << 24);
    } else if (LAYOUT === 2 && HALVES === 1) {
      if (i < Math.floor(K / 256) * Np) {
        word = f16(2 ** -14);
      } else {
        for (let byte = 0; byte < 4; byte++) {
          word |= (13 + ((draw(i, 0, seed) >>> (3 * byte)) & 7)) << (8 * byte);
        }
      }
    } else if (LAYOUT === 2) {
      const pair = i - (i % 2);
      word = f32((8 + (draw(pair, 0, seed) & 7)) * 2 ** -15);
      n = (pair / 2) % Np;
    }
    scales[i] = n < N ? word >>> 0 : 0;
  }
};

const view = new DataView(new ArrayBuffer(4));

function f32(value: number): number {
  view.setFloat32(0, value);
  return view.getUint32(0);
}

/** Bits of a normal f16 that holds `value` exactly. */
function f16(value: number): number {
  const bits = f32(value);
  return ((bits >>> 16) & 0x8000) | ((((bits >>> 23) & 255) - 112) << 10) | ((bits >>> 13) & 1023);
}
