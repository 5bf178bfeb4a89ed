/** Attention figures as JSON, CSV and pictures, on numbers made up to show every case; each picture was looked at. */
import { describe, expect, test } from "vitest";
import { TestRandom } from "../kernels/testRandom.ts";
import { type AttentionFigure, differences, figureCsv, figureJson } from "./attentionFigure.ts";
import { attentionPicture, type AttentionPictureOptions } from "./attentionPicture.ts";
import { differenceScale, LEVELS, valueScale } from "./colourScale.ts";
import { expectKept } from "./keptPicture.ts";
import type { MapToken } from "./mapPrompt.ts";
import { compareStates, FRESH } from "../train/compareRuns.ts";
import { PRESETS } from "../train/presets.ts";
import { massCsv, type MassFigure, massJson } from "./massFigure.ts";
import { massPicture } from "./massPicture.ts";
import { scenePng } from "./png.ts";
import { textWidth } from "./scene.ts";
import { sceneSvg } from "./sceneSvg.ts";

const tokens = (text: string, roles: Readonly<Record<string, MapToken["role"]>>): MapToken[] =>
  text.split("|").map((token) => ({ text: token, role: roles[token.trim()] ?? "plain" }));
const entity = { Marta: "entity", Lind: "entity", qvist: "entity", Tom: "entity", "😀·2": "entity" } as const;
const columns = tokens(
  "I| want| you| to| extract| person| entities|.|\n\n|###| Input|:|\n| Marta| Lind|qvist| met| Tom| in| Oslo| 😀·1|😀·2|.|\n\n|###| Response|:|\n",
  { ...entity, person: "type" },
);
const rows = tokens("The| entities| I| extracted| are| <<<| Marta| Lind|qvist| >>>| <<<| Tom| >>>| .|<end>", entity);

/** Rows that sum to 0.9, most of it on the first token; `copying` on what the row's token says in the sentence. */
function weights(seed: number, copying: number, heads = 1): Float32Array {
  const random = new TestRandom(seed);
  return Float32Array.from(
    Array.from({ length: heads }, () =>
      rows.flatMap((row) => {
        const raw = columns.map(
          ({ text }, j) => random.uniform(0, 1) ** 6 + (j === 0 ? 4 : text === row.text ? copying : 0),
        );
        const sum = raw.reduce((total, value) => total + value, 0);
        return raw.map((value) => (0.9 * value) / sum);
      }),
    ).flat(),
  );
}

const figure = (head: AttentionFigure["head"], names: readonly string[]): AttentionFigure => ({
  ...{ model: "OBP Mini", layer: 7, head, heads: 4, type: "person", rows, columns },
  adapters: names.map((name, i) => ({ name, weights: weights(i + 1, i, head === "all" ? 4 : 1) })),
});
/** As of two runs that differ in two settings, beside the model as it came. */
const compared = compareStates(
  ["base", "sft", "sft+cl"].map((name) => {
    const config = name === "sft" ? PRESETS.sft.quick : { ...PRESETS.sft.quick, contrastiveWeight: 0.01, seed: 7 };
    const known = { model: { id: "m", label: "OBP Mini" }, data: { id: "d", label: "12 documents" }, start: FRESH };
    return { name, made: name === "base" ? "base" : { run: name, config, ...known, steps: 24 } };
  }),
);
const plain: AttentionPictureOptions = { scale: "linear", hideFirst: false, difference: false };
const three = figure("mean", ["base", "sft", "sft+cl"]);

describe("pictures, to the tolerance of keptPicture.ts", () => {
  test.each<[string, AttentionFigure, AttentionPictureOptions]>([
    ["attention-three-adapters", three, { ...plain, hideFirst: true }],
    ["attention-log", figure(3, ["base"]), { ...plain, scale: "log" }],
    ["attention-difference", three, { scale: "linear", hideFirst: true, difference: true }],
    ["attention-compared-runs", { ...three, compared }, { ...plain, hideFirst: true }],
    ["attention-all-heads", figure("all", ["sft", "sft+cl"]), { ...plain, hideFirst: true }],
  ])("%s", (name, data, options) => {
    const png = scenePng(attentionPicture(data, options), 1);
    expectKept(name, png);
    // Byte for byte the same from the same data.
    expect(scenePng(attentionPicture(structuredClone(data), { ...options }), 1)).toEqual(png);
  });

  test("attention-on-entities", () => {
    expectKept("attention-on-entities", scenePng(massPicture(mass), 1));
    const runs = { ...mass, adapters: mass.adapters.map((one, i) => ({ ...one, name: i === 0 ? "sft" : "sft+cl" })) };
    const both = compareStates([
      { name: "sft", made: "unknown" },
      { name: "sft+cl", made: "unknown" },
    ]);
    expectKept("attention-on-entities-unrecorded", scenePng(massPicture({ ...runs, compared: both }), 1));
  });
});

const mass: MassFigure = {
  ...{ model: "OBP Mini", type: "person", rows: 15, entityTokens: 5 },
  adapters: ["base", "sft"].map((name, i) => {
    const random = new TestRandom(i + 1);
    const set = (): number[][] =>
      Array.from({ length: 3 }, () => Array.from({ length: 4 }, () => random.uniform(0, 0.3)));
    return { name, entities: set(), type: set(), first: set() };
  }),
};

test("SVG names tokens as text, and what the caption must state", () => {
  const svg = sceneSvg(attentionPicture(three, { ...plain, scale: "log" }));
  expect(svg.match(/>Marta</g)?.length).toBe(4); // a row in each panel, a column under the last
  expect(svg).toContain(">\\n\\n<");
  const caption = svg.replace(/<\/text>\n<text[^>]*>/g, " ");
  for (const words of [
    "OBP Mini",
    "layer 7",
    "mean over 4 heads",
    "(a) base, (b) sft, (c) sft+cl",
    "log scale up to",
  ]) {
    expect(caption).toContain(words);
  }
});

test("1,024 × 1,024 is drawn without labels of single tokens", () => {
  const many = Array.from({ length: 1024 }, (_, i): MapToken => ({
    text: ` t${i}`,
    role: i === 9 ? "entity" : "plain",
  }));
  const large = {
    ...three,
    rows: many,
    columns: many,
    adapters: [{ name: "base", weights: new Float32Array(1 << 20) }],
  };
  const scene = attentionPicture(large, plain);
  expect(scene.shapes.length).toBeLessThan(60);
  expect(scene.width).toBeLessThan(1600);
});

describe("scales", () => {
  test("one scale for all panels; the first token is off it where that is chosen", () => {
    const description = (hideFirst: boolean): string => attentionPicture(three, { ...plain, hideFirst }).description;
    const most = (skip: boolean): number =>
      Math.max(...three.adapters.flatMap((map) => [...map.weights].filter((_, i) => !skip || i % columns.length > 0)));
    expect(description(false)).toContain(`up to ${Number(most(false).toPrecision(3))}; the first token is on it.`);
    expect(description(true)).toContain(`up to ${Number(most(true).toPrecision(3))}; the first token is not on it`);
  });

  test("levels and numbers", () => {
    const linear = valueScale("linear", 0.42);
    expect([linear.level(0), linear.level(0.42), linear.level(1), linear.level(-1)]).toEqual([0, 255, 255, 0]);
    expect(linear.ticks.map(({ label }) => label)).toEqual(["0", "0.2", "0.42"]);
    const log = valueScale("log", 0.5);
    expect(log.ticks.map(({ label }) => label)).toEqual(["< 0.0001", "0.001", "0.01", "0.1", "0.5"]);
    expect(log.level(0.0001)).toBe(0);
    expect(log.level(0.5)).toBe(255);
    const difference = differenceScale(0.2);
    expect(difference.ticks.map(({ label }) => label)).toEqual(["−0.2", "−0.1", "0", "+0.1", "+0.2"]);
    expect(valueScale("linear", 0).level(0)).toBe(0); // nothing above 0 is no error
  });

  test("labels do not touch, whatever the numbers; a difference keeps its 0", () => {
    const highs = Array.from({ length: 400 }, (_, i) => 10 ** (-6 + i / 50) * 0.987);
    for (const high of highs) {
      for (const scale of [valueScale("linear", high), valueScale("log", high), differenceScale(high)]) {
        // In the picture: 220 wide, text of 9; on the page 280 and 11.
        for (const ems of [220 / 9, 280 / 11]) {
          const ends = scale.ticks.map(({ at, label }) => {
            const left = at * ems - (at === 0 ? 0 : at === 1 ? 1 : 0.5) * textWidth(label, 1);
            return [left, left + textWidth(label, 1)] as const;
          });
          ends.slice(1).forEach(([left], i) => expect(left).toBeGreaterThan(ends[i]?.[1] ?? NaN));
        }
        expect([scale.ticks[0]?.at, scale.ticks.at(-1)?.at]).toEqual([0, 1]);
        if (scale.kind === "difference") expect(scale.ticks.map(({ label }) => label)).toContain("0");
      }
    }
  });

  test("darker step by step, so that grey print reads the same", () => {
    const light = (table: Uint8Array, i: number): number =>
      0.2126 * (table[3 * i] ?? 0) + 0.7152 * (table[3 * i + 1] ?? 0) + 0.0722 * (table[3 * i + 2] ?? 0);
    const { table } = valueScale("linear", 1);
    for (let i = 8; i < LEVELS; i += 8) expect(light(table, i)).toBeLessThan(light(table, i - 8));
  });
});

describe("data", () => {
  test("JSON of one adapter has weights, of several a list, with differences where asked", () => {
    const one = figureJson(figure("mean", ["base"]), false);
    expect(one).toMatchObject({ layer: 7, head: "mean", name: "base", rows: rows.map(({ text }) => text) });
    const cells = one["weights"] as number[][];
    expect([cells.length, cells[0]?.length]).toEqual([rows.length, columns.length]);
    expect(Math.fround(cells[2]?.[5] ?? NaN)).toBe(weights(1, 0)[2 * columns.length + 5]);
    const both = figureJson(three, true);
    expect(both["weights"]).toBeUndefined();
    expect((both["adapters"] as { name: string }[]).map(({ name }) => name)).toEqual(["base", "sft", "sft+cl"]);
    expect((both["differences"] as { name: string }[]).map(({ name }) => name)).toEqual([
      "sft − base",
      "sft+cl − base",
    ]);
    const heads = figureJson(figure("all", ["base"]), false)["weights"] as number[][][];
    expect([heads.length, heads[3]?.length]).toEqual([4, rows.length]);
  });

  test("CSV has a line a cell, with texts quoted", () => {
    const text = figureCsv(figure("all", ["base"]), false);
    // Line breaks of tokens stay in the file, inside quotes.
    const lines = text.replace(/"[^"]*"/g, (token) => token.replaceAll("\n", "¶")).split("\n");
    expect(lines.length).toBe(2 + 4 * rows.length * columns.length);
    expect(lines[9]).toMatch(/,8,"¶¶",plain,/);
    expect(lines[1]).toMatch(/^base,7,0,0,The,plain,0,I,plain,0\.\d+$/);
    expect(massCsv(mass).split("\n").length).toBe(2 + 2 * 3 * 4);
  });

  test("how the adapters' trainings differ is in every file; nothing where nothing is compared", () => {
    const runs = { ...three, compared };
    const said = "Configurations: contrastive λ – | off | 0.01; seed – | 42 | 7. base is not trained.";
    expect(attentionPicture(runs, plain).description.endsWith(`not renormalised. ${said}`)).toBe(true);
    const svg = sceneSvg(attentionPicture(runs, plain)).replace(/<\/text>\n<text[^>]*>/g, " ");
    expect(svg.match(/contrastive λ – \| off \| 0\.01; seed – \| 42 \| 7\./g)?.length).toBe(2); // title and caption
    const json = figureJson(runs, false) as { compared: { text: string; differences: object[] } };
    expect(json.compared.text).toBe(said);
    expect(json.compared.differences[1]).toEqual({ setting: "seed", values: ["–", "42", "7"] });
    expect(figureJson(three, false)).not.toHaveProperty("compared");
    const endings = (csv: string) => [...new Set(csv.match(/,"[^",\n]*"$/gm))];
    const own = ["not trained", "contrastive λ off; seed 42", "contrastive λ 0.01; seed 7"];
    const csv = figureCsv(runs, true);
    expect(csv.split("\n")[0]?.endsWith(",weight,configuration")).toBe(true);
    const both = own.slice(1).map((part) => `${part} − not trained`);
    expect(endings(csv)).toEqual([...own, ...both].map((part) => `,"${part}"`));
    expect(figureCsv(three, false).split("\n")[0]?.endsWith(",weight")).toBe(true);
    const masses = { ...mass, compared };
    expect(endings(massCsv(masses))).toEqual(own.slice(0, 2).map((part) => `,"${part}"`));
    expect(massJson(masses)).toMatchObject({ compared: { text: said }, layers: 3 });
    expect(massPicture(masses).description).toContain(said);
  });

  test("a difference needs two", () => {
    expect(() => differences(figure("mean", ["base"]))).toThrow("expected two adapters at least");
  });
});
