/** obp attention on the real command and a real model of one layer. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeOneLayerModel } from "./oneLayerModel.ts";
import { CommandFolder } from "./testCommand.ts";

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const types = '{"ingredient":"foods that go into a dish","utensil":"tools of a cook"}';
const folder = new CommandFolder({ "types.json": types });
const sentence = ["--text", "Melt butter in a pan.", "--types", "types.json", "--type", "ingredient"] as const;
const attention = ["attention", "--model", "one.gguf", ...sentence] as const;
const gold = ["--gold", "butter"] as const;
const run = (...words: readonly string[]) => folder.start(...words).outcome;

beforeAll(async () => {
  await writeOneLayerModel(join(folder.path, "one.gguf"), 300);
  const data = ["--train", file("public/samples/train.jsonl"), "--types", "types.json", "--learning-rate", "0.05"];
  const short = ["--max-steps", "1", "--accumulation", "1", "--warmup-ratio", "0"];
  const trained = await run("train", "--model", "one.gguf", "--stage", "sft", ...data, ...short, "--out", "sft");
  expect([trained.code, trained.stderr]).toEqual([0, expect.any(String)]);
});
afterAll(() => folder[Symbol.dispose]());

interface Written {
  readonly layer: number;
  readonly head: string | number;
  readonly rows: string[];
  readonly columns: string[];
  readonly columnRoles: string[];
  readonly weights?: number[][];
  readonly adapters?: { readonly name: string; readonly weights: number[][] }[];
  readonly onEntities: { readonly name: string; readonly share: number }[];
}
const read = (name: string) => JSON.parse(folder.read(name)) as Written;

test("one adapter: rows of the response, columns of the prompt, what falls on the gold entity", async () => {
  const outcome = await run(...attention, ...gold, "--json", "--out", "map.json");
  expect([outcome.code, outcome.stderr.includes("error")]).toEqual([0, false]);
  const map = read("map.json");
  const { out, adapter, response, ...shown } = outcome.json();
  expect([out, typeof adapter]).toEqual(["map.json", "string"]);
  expect(response).toBe("The entities I extracted for you are <<< butter >>> .");
  expect(shown).toEqual(map);
  expect([map.layer, map.head, map.adapters]).toEqual([0, "mean", undefined]);
  expect(map.rows.join("")).toBe("The entities I extracted for you are <<< butter >>> .<|im_end|>");
  expect(map.columns.join("").endsWith("Melt butter in a pan.\n\n### Response:\n")).toBe(true);
  expect([map.weights?.length, map.weights?.[0]?.length]).toEqual([map.rows.length, map.columns.length]);
  const entity = map.columnRoles.indexOf("entity");
  expect(map.columns[entity]).toBe(" butter");
  const share = map.weights?.reduce((sum, row) => sum + (row[entity] ?? NaN), 0) ?? NaN;
  expect(map.onEntities).toEqual([{ name: "base", share: expect.closeTo(share / map.rows.length, 7) as number }]);
});

test("without gold and response the model answers itself; adapters beside each other share its rows", async () => {
  const words = [...attention, "--adapter", "base", "sft", "--head", "2"] as const;
  const { code, stdout } = await run(...words, "--out", "both.json");
  expect(code).toBe(0);
  expect(stdout).toContain("response: The entities I extracted for you are <<<");
  const { adapters = [], head, weights } = read("both.json");
  expect([head, weights, adapters.map(({ name }) => name)]).toEqual([2, undefined, ["base", "sft"]]);
  expect(adapters[0]?.weights).not.toEqual(adapters[1]?.weights);
});

test("pictures are the same files from the same words; CSV has a line a cell", async () => {
  const words = [...attention, ...gold, "--adapter", "base", "sft", "--difference", "--hide-first"] as const;
  const bytes = async (name: string): Promise<Buffer> => {
    expect((await run(...words, "--out", name)).code).toBe(0);
    return readFileSync(join(folder.path, name));
  };
  const [svg, again] = [await bytes("a.svg"), await bytes("b.svg")];
  expect(svg.equals(again)).toBe(true);
  expect(svg.toString()).toContain(">sft − base<");
  const png = await bytes("a.png");
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect((await bytes("a.csv")).toString().split("\n")[0]).toMatch(/^adapter,layer,head,row,/);
});

test("how the adapters' trainings differ is in every file; a run that is not recorded is said", async () => {
  const place = (...path: string[]): string => join(folder.path, ...path);
  const settings = JSON.parse(readFileSync(place("sft", "run", "config.json"), "utf8")) as Record<string, unknown>;
  cpSync(place("sft"), place("other"), { recursive: true });
  writeFileSync(
    place("other", "run", "config.json"),
    JSON.stringify({ ...settings, learningRate: 0.001, seed: 7, checkpointing: "layer" }),
  );
  const said = "Configurations: learning rate 0.05 | 1e-3; seed 42 | 7.";
  const words = [...attention, ...gold, "--adapter", "sft", "other"] as const;
  const outcome = await run(...words, "--out", "two.svg");
  expect(outcome.code).toBe(0);
  expect(outcome.stdout).toContain(`\n${said}\n`);
  expect(folder.read("two.svg")).toContain(`${said}</title>`);
  // As it was written, whatever was in the pictures before.
  const svg = folder.read("two.svg");
  expect((await run(...words, "--out", "two.svg")).code).toBe(0);
  expect(folder.read("two.svg")).toBe(svg);
  expect((await run(...words, "--overview", "--out", "two.csv")).code).toBe(0);
  expect(folder.read("two.csv")).toMatch(/^"other",0,8,.*,"learning rate 1e-3; seed 7"$/m);

  writeFileSync(place("other", "run", "config.json"), '{"lr": 1}');
  const broken = await run(...words, "--json", "--out", "two.json");
  expect(broken.stderr).toContain("other/run is left aside: expected settings of training in run/config.json, got lr");
  expect(broken.json()).toMatchObject({ compared: { text: "Configuration of other not recorded." } });
  rmSync(place("other", "run"), { recursive: true });
  const last = [...attention, ...gold, "--adapter", "sft", "sft/run/last", "base"] as const;
  expect((await run(...last, "--json", "--out", "two.json")).json()).toMatchObject({
    compared: { text: "base is not trained. The same training.", differences: [] },
  });
});

test("what the contrastive loss sees, for each adapter", async () => {
  const words = [...attention, ...gold, "--adapter", "base", "sft", "--contrastive"] as const;
  const { code, stdout } = await run(...words, "--out", "c.json");
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /contrastive loss, sft: [\d.]+, cross-entropy [\d.]+\n {2}cos -?[\d.]+ butter; left -?[\d.]+, right/,
  );
  const { contrastive } = JSON.parse(folder.read("c.json")) as {
    contrastive: { name: string; entities: { left: { token: string } }[]; losses: Record<string, number> }[];
  };
  expect(contrastive.map(({ name }) => name)).toEqual(["base", "sft"]);
  expect(contrastive[0]?.entities[0]?.left.token).toBe("elt"); // of "Melt"
  expect(contrastive[0]?.losses["sft_loss"]).toBeGreaterThan(contrastive[1]?.losses["sft_loss"] ?? NaN);
  for (const file of ["c.svg", "c.csv"]) expect((await run(...words, "--out", file)).code).toBe(0);
  expect(folder.read("c.svg")).toContain("Cosine of the type");
  const [head, base, sft] = folder.read("c.csv").split("\n");
  expect(head).toMatch(/^state,entity,cosine,left_token,left_cosine,right_token,right_cosine/);
  expect([base, sft].map((line) => line?.split(",").slice(0, 2).join())).toEqual(['"base","butter"', '"sft","butter"']);
});

test("overview: all layers and heads, with what the type's name and the first token take", async () => {
  const outcome = await run(
    ...attention,
    ...gold,
    "--adapter",
    "base",
    "sft",
    "--overview",
    "--json",
    "--out",
    "o.svg",
  );
  expect(outcome.code).toBe(0);
  const { layers, heads, adapters } = outcome.json() as {
    layers: number;
    heads: number;
    adapters: { first: number[][] }[];
  };
  expect([layers, heads, adapters.length]).toEqual([1, 9, 2]);
  expect(adapters[0]?.first[0]?.every((share) => share > 0 && share < 1)).toBe(true);
  expect(folder.read("o.svg")).toContain("change from base");
});

describe("errors, before anything is written", () => {
  const long = "salt ".repeat(400).trim();
  const other = file("reference/goldens/adapters/f32");
  test.each<[string, number, readonly string[], string]>([
    ["a layer", 1, [...gold, "--layer", "1"], "expected a layer from 0 to 0, those of OBP Mini, got 1"],
    ["a head", 1, [...gold, "--head", "9"], "expected a head from 0 to 8, those of OBP Mini, or mean or all, got 9"],
    ["a word as head", 2, ["--head", "most"], "expected --head to be a whole number, mean or all, got most"],
    ["another ending", 2, ["--out", "map.pdf"], "expected --out to end in .json, .csv, .svg, .png, got map.pdf"],
    ["gold elsewhere", 1, ["--gold", "salt"], 'expected gold entities that stand in the sentence, got "salt"'],
    ["gold too often", 1, ["--gold", "pan", "pan"], 'got "pan" (or given too often)'],
    ["four adapters", 2, ["--adapter", "a", "b", "c", "d"], "expected at most 3 adapters beside each other, got 4"],
    ["one twice", 2, ["--adapter", "sft", "sft"], "expected different adapters"],
    ["a difference of one", 2, ["--difference"], "expected two --adapter for their difference, got 1"],
    ["an adapter of another model", 1, [...gold, "--adapter", other], "expected"],
    ["a response over the context", 1, ["--response", long], "within the model's context of 300 tokens, got"],
  ])("%s", async (_, code, words, message) => {
    const outcome = await run(...attention, ...(words.includes("--out") ? [] : ["--out", "never.json"]), ...words);
    expect([outcome.code, outcome.stdout]).toEqual([code, ""]);
    expect(outcome.stderr).toContain(message);
    expect(folder.list()).not.toContain("never.json");
  });

  test("a type that types.json lacks, a sentence over the context, no entity for the overview", async () => {
    const words = ["attention", "--model", "one.gguf", "--types", "types.json", "--out", "never.json"] as const;
    const unknown = await run(...words, "--text", "Melt butter.", "--type", "ingredients");
    expect(unknown.stderr).toContain("expected a type of types.json (ingredient, utensil), got ingredients");
    const endless = await run(...words, "--text", long, "--type", "utensil");
    expect(endless.stderr).toContain("within the model's context of 300 tokens, got");
    const none = await run(...words, "--text", "Melt it.", "--type", "utensil", "--response", "<<< >>>", "--overview");
    expect(none.stderr).toContain("expected at least one entity of type utensil in the sentence");
    expect([unknown.code, endless.code, none.code, folder.list().includes("never.json")]).toEqual([1, 1, 1, false]);
  });
});
