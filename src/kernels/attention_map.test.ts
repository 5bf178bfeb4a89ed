import { describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import { attentionMapLse, attentionMapMass, attentionMapMean, attentionMapWeights } from "./attention_map.ts";
import {
  attentionMapLseRef,
  attentionMapMassRef,
  attentionMapMeanRef,
  attentionMapWeightsRef,
} from "./attention_map.ref.ts";
import { expectTwin } from "./expectTwin.ts";
import { garbage, TestRandom } from "./testRandom.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));

/** Scores of size about 1 are good to about 1e-6 in f32, which exp makes a relative error of the probabilities. */
const TOLERANCE = 5e-6;

const shapes = [
  { T: 1, NH: 1, KVH: 1, D: 4, rows: [0], heads: [0], keys: 1 },
  { T: 9, NH: 6, KVH: 2, D: 8, rows: [8, 0, 3, 3], heads: [5, 0, 2], keys: 7 },
  { T: 140, NH: 9, KVH: 3, D: 64, rows: [139, 70, 65, 1, 128], heads: [0, 1, 2, 3, 4, 5, 6, 7, 8], keys: 131 },
] as const;

describe.each(shapes)("T $T, $NH heads of $D, $KVH of keys", ({ T, NH, KVH, D, rows, heads, keys }) => {
  const random = new TestRandom(T);
  const [q, k] = [random.normal(T * NH * D), random.normal(T * KVH * D)];
  const asked = Uint32Array.from([...rows, ...heads]);
  // The last set is empty, one holds a key twice, keys past a row count nothing.
  const sets = [[0], [T - 1, T >> 1, T >> 1], []];
  const starts = Uint32Array.from([0, 1, 4, 4]);
  const members = Uint32Array.from(sets.flat());
  const params = {
    ...{ rows: rows.length, heads: heads.length, keys, sets: sets.length, first: 3 },
    ...{ NH, KVH, D, scale: 1 / Math.sqrt(D) },
  };
  const lse = async (): Promise<Float32Array> => {
    const arrays = { q, k, asked, sums: garbage(rows.length * heads.length) };
    const written = await expectTwin(queue, attentionMapLse, attentionMapLseRef, arrays, params, {
      tolerance: TOLERANCE,
    });
    return written.get("sums") ?? new Float32Array();
  };

  test("each kernel is its twin", async () => {
    const known = await lse();
    const read = { q, k, asked, known };
    const count = rows.length * keys;
    const options = { tolerance: TOLERANCE };
    const all = { ...read, probabilities: garbage(heads.length * count) };
    await expectTwin(queue, attentionMapWeights, attentionMapWeightsRef, all, params, options);
    const one = { ...read, probabilities: garbage(count) };
    await expectTwin(queue, attentionMapMean, attentionMapMeanRef, one, params, options);
    // What lies before `first` stays.
    const masses = { ...read, starts, members, masses: garbage(3 + sets.length * rows.length * heads.length) };
    await expectTwin(queue, attentionMapMass, attentionMapMassRef, masses, params, options);
  });

  test("a row's probabilities sum to 1", async () => {
    const known = await lse();
    const every = { ...params, keys: T };
    const arrays = { q, k, asked, known, probabilities: garbage(heads.length * rows.length * T) };
    const written = await runKernel(queue, attentionMapWeights, arrays, every);
    const weights = written.get("probabilities") ?? new Float32Array();
    for (let at = 0; at < weights.length; at += T) {
      expect(weights.slice(at, at + T).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    }
  });
});
