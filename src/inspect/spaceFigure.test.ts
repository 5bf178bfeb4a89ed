/** Layouts of several adapters, their scores, files and picture. */
import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { expectKept } from "./keptPicture.ts";
import { scenePng } from "./png.ts";
import type { EntitySpan } from "./representations.ts";
import { sceneSvg } from "./sceneSvg.ts";
import { figureCsv, figureJson, joinVectors, layOut, partOf, type SpaceFigure, spaceScores } from "./spaceFigure.ts";
import { captionOf, spacePicture } from "./spacePicture.ts";
import { TSNE_DEFAULTS } from "./tsne.ts";
import { tsneGoldens } from "./tsneGoldens.ts";

const queue = new CommandQueue(await testGpu({ limits: "default" }));
const [iris] = tsneGoldens().sets;
if (iris === undefined) throw new Error("expected golden data sets, got none");
const NAMES = ["setosa", "versi,color", "virginica"];
const spans = iris.labels.map((label, i): EntitySpan => {
  return { document: `d${i}`, start: 0, end: 4, text: `"${i}"`, type: NAMES[Number(label)] ?? "" };
});
/** The same data twice, once without two of its columns, as two adapters. */
const reduced = { ...iris.vectors, data: iris.vectors.data.map((value, i) => (i % 4 > 1 ? 0 : value)) };

async function figureOf(choice: Parameters<typeof layOut>[2]): Promise<SpaceFigure> {
  const parts = [reduced, iris?.vectors ?? reduced];
  const { layout, positions } = await layOut(queue, joinVectors(parts), choice);
  const adapters: SpaceFigure["adapters"][number][] = [];
  for (const [i, name] of ["base", "trained"].entries()) {
    const own = partOf(positions, i, 2);
    adapters.push({ name, positions: own, scores: await spaceScores(parts[i] ?? reduced, own, spans) });
  }
  const shown = { model: "Iris", layer: 7, representation: "key", types: NAMES, spans, found: 1234 } as const;
  return { ...shown, layout, adapters };
}

test("t-SNE of two adapters together: data, caption and picture", async () => {
  const settings = { ...TSNE_DEFAULTS, iterations: 500 };
  const figure = await figureOf({ method: "tsne", settings, start: "pca", seed: 1 });
  const json = figureJson(figure, (_, at) => at + 1);
  expect(json).toMatchObject({ method: "tsne", layer: 7, perplexity: 30, iterations: 500, found: 1234 });
  expect(json["klDivergence"]).toBeGreaterThan(0);
  const silhouettes = json["silhouette"] as Record<string, { euclidean: number; cosine: number }>;
  expect(silhouettes["trained"]?.euclidean).toBeCloseTo(iris.silhouette.euclidean, 9);
  expect(silhouettes["trained"]?.cosine).toBeGreaterThan(silhouettes["base"]?.cosine ?? NaN);
  const points = json["points"] as Record<string, unknown>[];
  expect(points).toHaveLength(300);
  expect(points[150]).toMatchObject({ adapter: "trained", document: "d0", start: 1, end: 5, type: "setosa" });
  const lines = figureCsv(figure, (_, at) => at).split("\r\n");
  expect(lines).toHaveLength(302);
  expect(lines[51]).toMatch(/^base,d50,0,4,"""50""","versi,color",-?\d/);
  expect(captionOf(figure)).toMatch(
    /^Iris; base, trained: 150 entity keys e\^K of layer 7 .*, a sample of 1234\. t-SNE, perplexity 30, 500 iterations, PCA start, KL divergence 0\.\d{3} \(fitted jointly\)\. At 12 neighbours: base purity/,
  );
});

test("the picture of fixed positions is the one that was looked at, with real text in SVG", async () => {
  const figure = await figureOf({ method: "pca" });
  const scene = spacePicture(figure);
  const svg = sceneSvg(scene);
  expect(svg).toContain(">(b) trained</text>");
  expect(svg).toContain(">versi,color (50)</text>");
  expect(svg.match(/<polygon/g)?.length).toBe(2 * 100 + 2); // two types of polygons, and the legend
  expectKept("space-two-adapters", scenePng(scene, 2));
});

test("many types have marks of their own", () => {
  const types = Array.from({ length: 20 }, (_, i) => `type ${i}`);
  const many = types.map((type, i): EntitySpan => ({ document: "d", start: i, end: i + 1, text: "x", type }));
  const positions = Float64Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i % 10 : Math.floor(i / 10)));
  const scores = { silhouette: { euclidean: null, cosine: null }, purity: null, trustworthiness: null };
  const scene = spacePicture({
    ...{ model: "M", layer: 0, representation: "hidden", types, spans: many, found: 20 },
    layout: { method: "pca", explained: [0.5, 0.25] },
    adapters: [{ name: "base", positions, scores }],
  });
  const marks = scene.shapes.filter(({ kind }) => kind === "polygon" || kind === "circle");
  const looks = new Set(
    marks.slice(0, 20).map((mark) => `${mark.kind} ${JSON.stringify(mark).length} ${"fill" in mark ? mark.fill : ""}`),
  );
  expect(looks.size).toBe(20);
  expect(scene.description).toContain("50.0 % and 25.0 % of the variance");
  expectKept("space-many-types", scenePng(scene, 2));
});

test("identical vectors still give a picture, from a random start", async () => {
  const same = { data: new Float64Array(40).fill(3), n: 20, d: 2 };
  const settings = { ...TSNE_DEFAULTS, perplexity: 5, iterations: 50 };
  const { positions } = await layOut(queue, same, { method: "tsne", settings, start: "pca", seed: 4 });
  expect(positions.every(Number.isFinite)).toBe(true);
  const { layout } = await layOut(queue, same, { method: "pca" });
  expect(layout).toEqual({ method: "pca", explained: [0, 0] });
});

test("a random start is the seed's", async () => {
  const settings = { ...TSNE_DEFAULTS, perplexity: 5, iterations: 5 };
  const run = async (seed: number) =>
    (await layOut(queue, iris.vectors, { method: "tsne", settings, start: "random", seed })).positions;
  expect(await run(1)).toEqual(await run(1));
  expect(await run(1)).not.toEqual(await run(2));
});
