/** PCA and scores of layouts against scikit-learn's. */
import { describe, expect, test } from "vitest";
import { neighbourhoodPurity, silhouette, trustworthiness } from "./clusterScores.ts";
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

  test("silhouettes and purity are scikit-learn's", () => {
    expect(silhouette(vectors, labels, "euclidean")).toBeCloseTo(golden.silhouette.euclidean, 9);
    expect(silhouette(vectors, labels, "cosine")).toBeCloseTo(golden.silhouette.cosine, 9);
    expect(neighbourhoodPurity(vectors, labels, 10)).toBeCloseTo(golden.purity10, 9);
  });

  test("principal components are scikit-learn's, and so is their trustworthiness", () => {
    const { positions, explained } = principalComponents(vectors);
    const scale = Math.max(...golden.pca.map(Math.abs));
    positions.forEach((value, i) => {
      expect(Math.abs(value - (golden.pca[i] ?? NaN)) / scale).toBeLessThan(1e-6);
    });
    expect(explained[0]).toBeGreaterThan(explained[1]);
    const layout = { data: positions, n: vectors.n, d: 2 };
    // Equal distances, of which these data have many, may stand in another order.
    expect(trustworthiness(vectors, layout, 5)).toBeCloseTo(golden.pcaTrustworthiness5, 3);
  });
});

test("by hand: two pairs far apart", () => {
  const points = rows([[0], [1], [10], [11]]);
  const value = (1 - 1 / 10.5 + (1 - 1 / 9.5)) / 2;
  expect(silhouette(points, ["a", "a", "b", "b"], "euclidean")).toBeCloseTo(value, 12);
  expect(neighbourhoodPurity(points, ["a", "a", "b", "b"], 1)).toBe(1);
  expect(neighbourhoodPurity(points, ["a", "b", "a", "b"], 1)).toBe(0);
  expect(trustworthiness(points, points, 1)).toBe(1);
});

test("where a score is not defined it is null, and identical points or zeros give a number", () => {
  const same = rows([
    [1, 2],
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
  expect(silhouette(same, ["a", "a", "a", "a"], "euclidean")).toBeNull();
  expect(silhouette(same, ["a", "b", "c", "d"], "euclidean")).toBeNull();
  expect(neighbourhoodPurity(same, ["a", "a", "a", "a"], 4)).toBeNull();
  expect(trustworthiness(same, same, 2)).toBeNull();
  expect(silhouette(same, ["a", "a", "b", "b"], "euclidean")).toBe(0);
  expect(
    silhouette(
      rows([
        [0, 0],
        [0, 0],
        [1, 0],
        [2, 0],
      ]),
      ["a", "a", "b", "b"],
      "cosine",
    ),
  ).toBe(0.5);
  expect(trustworthiness(same, same, 1)).toBe(1);
  expect([...principalComponents(same).positions]).toEqual(new Array(8).fill(0));
  expect(() =>
    principalComponents(
      rows([
        [1, 2],
        [NaN, 2],
      ]),
    ),
  ).toThrow("got NaN in number 0 of vector 1");
});

test("components of vectors with fewer directions than asked", () => {
  const { positions, explained } = principalComponents(rows([[0], [3], [6]]));
  expect([...positions].map((value) => Math.round(value * 1e9) / 1e9 + 0)).toEqual([-3, 0, 0, 0, 3, 0]);
  expect(explained[0]).toBeCloseTo(1, 12);
  expect(explained[1]).toBe(0);
});
