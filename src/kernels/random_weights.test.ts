import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { randomScales, randomWords } from "./random_weights.ts";
import { randomScalesRef, randomWordsRef } from "./random_weights.ref.ts";
import { WEIGHT_VARIANTS } from "./randomWeights.ts";
import { weightAt } from "./weights.ref.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Words and scales of one output and 256 inputs. */
const SIZES = {
  q4: { words: 32, scales: 8 },
  "q4 symmetric": { words: 32, scales: 4 },
  q4k: { words: 32, scales: 5 },
  q8: { words: 64, scales: 16 },
  "q8 halves": { words: 48, scales: 5 },
  f32: { words: 256, scales: 0 },
};

test.each(WEIGHT_VARIANTS)(
  "$name: the twin's words, zero past N, weights about N(0, 0.02²)",
  async ({ name, constants }) => {
    const [N, Np, K, seed] = [77, 80, 512, 5];
    const sizes = { N, Np, K, seed };
    const all = (count: number) => new Uint32Array(count).fill(0xffffffff);
    const bits = (floats: Float32Array | undefined) => new Uint32Array(floats?.buffer ?? new ArrayBuffer(0));

    const words = all(SIZES[name].words * 2 * Np);
    const wordsWanted = words.slice();
    randomWordsRef({ words: wordsWanted }, { ...sizes, count: words.length }, constants);
    const filled = await runKernel(queue, randomWords, { words }, { ...sizes, count: words.length }, constants);
    words.set(bits(filled.get("words")));
    expect(words).toEqual(wordsWanted);

    const scales = all(SIZES[name].scales * 2 * Np);
    const scalesWanted = scales.slice();
    randomScalesRef({ scales: scalesWanted }, { ...sizes, count: scales.length }, constants);
    const scaled = await runKernel(queue, randomScales, { scales }, { ...sizes, count: scales.length }, constants);
    scales.set(bits(scaled.get("scales")));
    expect(scales).toEqual(scalesWanted);

    const weight = (n: number, k: number) => weightAt({ words, scales, K, Np }, constants, n, k);
    let [sum, squares, most] = [0, 0, 0];
    for (let n = 0; n < N; n++) {
      for (let k = 0; k < K; k++) {
        sum += weight(n, k);
        squares += weight(n, k) ** 2;
        most = Math.max(most, Math.abs(weight(n, k)));
      }
    }
    expect(Math.abs(sum / (N * K))).toBeLessThan(0.001);
    expect(Math.sqrt(squares / (N * K))).toBeCloseTo(0.019, 2);
    expect(most).toBeLessThan(0.1);
    for (let k = 0; k < K; k++) {
      expect(weight(N, k) + 0).toBe(0); // −0 of six bits too
    }
  },
);
