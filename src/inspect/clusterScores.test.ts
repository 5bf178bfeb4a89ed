/** PCA and scores of layouts against scikit-learn's. */
import { describe, expect, test } from "vitest";
import { clusterScores } from "./clusterScores.ts";
import { normals } from "./normals.ts";
import type { ComputeOptions } from "./pauses.ts";
import { principalComponents } from "./pca.ts";
import { tsneGoldens } from "./tsneGoldens.ts";

const { sets } = tsneGoldens();
const rows = (values: readonly (readonly number[])[]) => ({
  data: Float64Array.from(values.flat()),
  n: values.length,
  d: values[0]?.length ?? 0,
});

describe.each(sets)("$name", (golden) => {
  const { vectors, labels } = golden;

  test("silhouettes and purity are scikit-learn's", async () => {
    const { silhouette, purity } = await clusterScores(vectors, vectors, labels, 10);
    expect(silhouette.euclidean).toBeCloseTo(golden.silhouette.euclidean, 9);
    expect(silhouette.cosine).toBeCloseTo(golden.silhouette.cosine, 9);
    expect(purity).toBeCloseTo(golden.purity10, 9);
  });

  test("principal components are scikit-learn's, and so is their trustworthiness", async () => {
    const { positions, explained } = await principalComponents(vectors);
    const scale = Math.max(...golden.pca.map(Math.abs));
    positions.forEach((value, i) => {
      expect(Math.abs(value - (golden.pca[i] ?? NaN)) / scale).toBeLessThan(1e-6);
    });
    expect(explained[0]).toBeGreaterThan(explained[1]);
    const layout = { data: positions, n: vectors.n, d: 2 };
    // Equal distances, of which these data have many, may stand in another order.
    const { trustworthiness } = await clusterScores(vectors, layout, labels, 5);
    expect(trustworthiness).toBeCloseTo(golden.pcaTrustworthiness5, 3);
  });
});

test("by hand: two pairs far apart", async () => {
  const points = rows([[0], [1], [10], [11]]);
  const pairs = await clusterScores(points, points, ["a", "a", "b", "b"], 1);
  expect(pairs.silhouette.euclidean).toBeCloseTo((1 - 1 / 10.5 + (1 - 1 / 9.5)) / 2, 12);
  expect([pairs.purity, pairs.trustworthiness]).toEqual([1, 1]);
  expect((await clusterScores(points, points, ["a", "b", "a", "b"], 1)).purity).toBe(0);
  const swapped = rows([[0], [10], [1], [11]]); // the neighbours' ranks are 2, 3, 3 and 2
  expect((await clusterScores(points, swapped, ["a", "a", "b", "b"], 1)).trustworthiness).toBeCloseTo(
    1 - (2 * 6) / (4 * 4),
    12,
  );
});

test("where a score is not defined it is null, and identical points or zeros give a number", async () => {
  const same = rows([
    [1, 2],
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
  const of = (labels: string[], k: number) => clusterScores(same, same, labels, k);
  const none = { euclidean: null, cosine: null };
  expect(await of(["a", "a", "a", "a"], 4)).toEqual({ silhouette: none, purity: null, trustworthiness: null });
  expect((await of(["a", "b", "c", "d"], 2)).silhouette).toEqual(none);
  expect(await of(["a", "a", "b", "b"], 1)).toMatchObject({
    silhouette: { euclidean: 0, cosine: 0 },
    trustworthiness: 1,
  });
  const zeros = rows([
    [0, 0],
    [0, 0],
    [1, 0],
    [2, 0],
  ]);
  expect((await clusterScores(zeros, zeros, ["a", "a", "b", "b"], 1)).silhouette.cosine).toBe(0.5);
  expect([...(await principalComponents(same)).positions]).toEqual(new Array(8).fill(0));
  const broken = rows([
    [1, 2],
    [NaN, 2],
  ]);
  await expect(principalComponents(broken)).rejects.toThrow("got NaN in number 0 of vector 1");
});

test("components of vectors with fewer directions than asked", async () => {
  const { positions, explained } = await principalComponents(rows([[0], [3], [6]]));
  expect([...positions].map((value) => Math.round(value * 1e9) / 1e9 + 0)).toEqual([-3, 0, 0, 0, 3, 0]);
  expect(explained[0]).toBeCloseTo(1, 12);
  expect(explained[1]).toBe(0);
});

/** Without a direction that stands out, so that PCA takes all its iterations: seconds. */
const noise = { data: normals(1500 * 200, 1), n: 1500, d: 200 };

test.each<[string, (options: ComputeOptions) => Promise<unknown>]>([
  ["PCA", (options) => principalComponents(noise, options)],
  [
    "scores",
    (options) =>
      clusterScores(
        noise,
        noise,
        [...new Array(1500).keys()].map((i) => `${i % 3}`),
        12,
        options,
      ),
  ],
])("%s hears messages while it computes, tells how far it is, and stops", async (_, work) => {
  const stop = new AbortController();
  const told: number[] = [];
  let beats = 0;
  const beat = setInterval(() => {
    if (++beats === 3) stop.abort(new Error("stopped by the user"));
  });
  const onProgress = (done: number, total: number): void => void told.push(done / total);
  const outcome = work({ signal: stop.signal, onProgress });
  await expect(outcome).rejects.toThrow("stopped by the user");
  clearInterval(beat);
  expect(told.length).toBeGreaterThan(0);
  expect(told.every((share, i) => share >= (told[i - 1] ?? 0) && share < 0.5)).toBe(true);
});
