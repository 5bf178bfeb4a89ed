/** obp tsne on the real command and a real model of one layer. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeOneLayerModel } from "./oneLayerModel.ts";
import { CommandFolder } from "./testCommand.ts";

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const types = '{"ingredient":"foods that go into a dish","utensil":"tools of a cook"}';
const foods = ["butter", "salt", "rice", "mint", "oil", "milk", "plum", "corn"];
const lines = foods.map((food, i) => {
  // 😀: two UTF-16 units, one code point.
  const text = `😀 Melt ${food} in a pan.`;
  const [start, pan] = [7, 13 + food.length];
  const utensil = { start: pan, end: pan + 3, type: "utensil" };
  const entities = [{ start, end: start + food.length, type: "ingredient" }, ...(i % 2 === 0 ? [utensil] : [])];
  return JSON.stringify({ id: `d${i}`, text, entities });
});
const folder = new CommandFolder({
  "types.json": types,
  "pans.json": '{"utensil":"tools of a cook"}',
  "none.json": '{"planet":"bodies that go around a star"}',
  "docs.jsonl": `${lines.join("\n")}\n`,
  "two.jsonl": `${lines.slice(0, 2).join("\n")}\n`,
});
const run = (...words: readonly string[]) => folder.start(...words).outcome;
const tsne = ["tsne", "--model", "one.gguf", "--in", "docs.jsonl", "--types", "types.json"] as const;

beforeAll(async () => {
  await writeOneLayerModel(join(folder.path, "one.gguf"), 300);
  const data = ["--train", file("public/samples/train.jsonl"), "--types", "types.json", "--learning-rate", "0.05"];
  const short = ["--max-steps", "1", "--accumulation", "1", "--warmup-ratio", "0"];
  const trained = await run("train", "--model", "one.gguf", "--stage", "sft", ...data, ...short, "--out", "sft");
  expect(trained.code).toBe(0);
});
afterAll(() => folder[Symbol.dispose]());

interface Point {
  readonly adapter: string;
  readonly document: string;
  readonly start: number;
  readonly text: string;
  readonly type: string;
  readonly x: number;
}

test("the model and an adapter fitted together, and the same picture twice", async () => {
  const words = [...tsne, "--adapter", "base", "sft", "--iterations", "60", "--seed", "7"] as const;
  const first = await run(...words, "--out", "space.png", "--json");
  expect([first.code, first.stderr.includes("error")]).toEqual([0, false]);
  const json = first.json();
  const points = json["points"] as Point[];
  expect(points).toHaveLength(24);
  expect(points[0]).toMatchObject({ adapter: "base", document: "d0", start: 7, text: "butter", type: "ingredient" });
  expect(points[23]).toMatchObject({ adapter: "sft", document: "d6", start: 17, text: "pan", type: "utensil" });
  expect(points.every(({ x }) => Number.isFinite(x))).toBe(true);
  expect(json).toMatchObject({ method: "tsne", layer: 0, iterations: 60, perplexity: 7, representation: "key" });
  expect(Object.keys(json["silhouette"] as object)).toEqual(["base", "sft"]);
  expect(json["klDivergence"]).toBeGreaterThan(0);
  const text =
    "Configuration of sft: stage SFT; learning rate 0.05; epochs 5; batch 1; rank 8; alpha 16; targets q k v o; seed 42. base is not trained.";
  expect(json).toMatchObject({ compared: { text } });
  const png = folder.read("space.png");
  expect((await run(...words, "--out", "space.png")).code).toBe(0);
  expect(folder.read("space.png")).toBe(png);
});

test("hidden states, PCA and a sample, as CSV", async () => {
  const how = ["--representation", "hidden", "--method", "pca", "--limit", "5"] as const;
  const { code, stdout, stderr } = await run(...tsne, ...how, "--out", "space.csv");
  expect(code).toBe(0);
  expect(stderr).toContain("a sample of 5 of 12 entities is laid out");
  expect(stdout).toMatch(/PCA: \d+\.\d % and \d+\.\d % of the variance/);
  expect(folder.read("space.csv").split("\r\n")).toHaveLength(7);
});

test.each([
  ["no entity", ["--types", "none.json"], "expected at least 2 gold entities of the given types to lay out, got 0"],
  [
    "one entity",
    ["--in", "two.jsonl", "--types", "pans.json"],
    "expected at least 2 gold entities of the given types to lay out, got 1",
  ],
  ["a layer that is not there", ["--layer", "1"], "expected a layer from 0 to 0"],
  ["perplexity", ["--perplexity", "12"], "expected a perplexity from 1 to below 12, the number of points, got 12"],
  ["a file format", ["--out", "space.gif"], "expected --out to end in .json, .csv, .svg, .png, got space.gif"],
  ["an adapter of another model", ["--adapter", file("reference/goldens/adapters/f32")], "expected"],
])("error: %s", async (_, words, message) => {
  const given = new Map<string, string>([
    ["--in", "docs.jsonl"],
    ["--types", "types.json"],
    ["--out", "x.json"],
  ]);
  for (let i = 0; i < words.length; i += 2) given.set(words[i] ?? "", words[i + 1] ?? "");
  const { code, stderr } = await run("tsne", "--model", "one.gguf", ...[...given].flat());
  expect(code).toBe(message.includes("--out") ? 2 : 1);
  expect(stderr).toContain(`error: ${message}`);
  expect(folder.list()).not.toContain("x.json");
});
