/** Every kind of picture that is exported, at its plainest and with what is hard to draw; each was looked at. */
import { expect, test } from "vitest";
import { TestRandom } from "../kernels/testRandom.ts";
import type { AttentionFigure } from "./attentionFigure.ts";
import { attentionPicture } from "./attentionPicture.ts";
import type { CosinesFigure } from "./cosinesFigure.ts";
import { cosinesDrawing, cosinesPicture } from "./cosinesPicture.ts";
import { expectKept } from "./keptPicture.ts";
import { MapHistory } from "./mapHistory.ts";
import type { MapToken } from "./mapPrompt.ts";
import type { MassFigure } from "./massFigure.ts";
import { massPicture } from "./massPicture.ts";
import { scenePng } from "./png.ts";
import type { EntitySpan } from "./representations.ts";
import type { Scene } from "./scene.ts";
import { spacePicture } from "./spacePicture.ts";
import { TSNE_DEFAULTS } from "./tsne.ts";

const plain = { scale: "linear", hideFirst: false, difference: false } as const;
const LONG_TYPE = "chemical-compound-or-its-commercial-name";
const LONG_ADAPTER = "SFT with the contrastive loss: Kitchen notes, second try, rank 8";

const token = (text: string): MapToken => {
  const role = text.startsWith("*") ? "entity" : text.startsWith("+") ? "type" : "plain";
  return { text: role === "plain" ? text : text.slice(1), role };
};
/** Scripts that the font lacks, joined emoji, parts of characters, white space of several kinds, a word of 60 letters. */
const columns = [
  ...[
    "I",
    " want",
    " +x",
    " to",
    "\n\n",
    "###",
    " Input",
    ":",
    "\n",
    "*東京",
    "*都",
    " で",
    "*😀",
    "*👩‍🚀",
    "*ё·1",
    "*ё·2",
  ],
  ...[
    "\u00a0",
    "\u200b",
    "\t",
    " ا",
    "لكتاب",
    ` ${"Donaudampfschifffahrt".repeat(3).slice(0, 60)}`,
    " i",
    ".",
    "<end>",
  ],
].map((text) => token(text.trim().startsWith("+") ? "+type" : text));
const rows = [
  "The",
  " <<<",
  "*東京",
  "*都",
  " >>>",
  " <<<",
  "*😀",
  "*👩‍🚀",
  " >>>",
  ` ${"W".repeat(60)}`,
  " .",
  "<end>",
].map(token);

/** Rows that sum to 0.9, most of it on the first token and some on the row's own token in the sentence. */
function weights(seed: number, copying: number, heads = 1): Float32Array {
  const random = new TestRandom(seed);
  const row = ({ text }: MapToken): number[] => {
    const raw = columns.map(
      (column, j) => random.uniform(0, 1) ** 6 + (j === 0 ? 4 : column.text === text ? copying : 0),
    );
    const sum = raw.reduce((total, value) => total + value, 0);
    return raw.map((value) => (0.9 * value) / sum);
  };
  return Float32Array.from(Array.from({ length: heads }, () => rows.flatMap(row)).flat());
}

const about = { model: "OBP Mini", layer: 7, heads: 9, type: LONG_TYPE, rows, columns };
const one: AttentionFigure = { ...about, head: 3, adapters: [{ name: LONG_ADAPTER, weights: weights(1, 2) }] };

/** A run of 4 maps and another that goes on with it. */
function history(): MapHistory {
  const kept = new MapHistory({ ...about, head: "mean" }, 1e7);
  for (let step = 0; step <= 9; step += 3) kept.add({ run: "SFT", step }, weights(3, step / 3));
  kept.add({ run: "DPO", step: 2 }, weights(4, 4));
  return kept;
}

/** @param heads more than 16 have no numbers in their cells */
function mass(layers: number, heads: number, names: readonly string[]): MassFigure {
  const adapters = names.map((name, i) => {
    const random = new TestRandom(i + 1);
    const set = (): number[][] =>
      Array.from({ length: layers }, (_, l) => Array.from({ length: heads }, () => random.uniform(0, 0.1 + l / 60)));
    return { name, entities: set(), type: set(), first: set() };
  });
  return { model: "OBP Mini", type: LONG_TYPE, rows: 15, entityTokens: 5, adapters };
}

const spans = Array.from({ length: 90 }, (_, i): EntitySpan => {
  return { document: "d", start: i, end: i + 1, text: "x", type: [LONG_TYPE, "人名", "place"][i % 3] ?? "" };
});
const scores = { silhouette: { euclidean: 0.214, cosine: -0.031 }, purity: 0.75, trustworthiness: 0.981 };
const around = (seed: number): Float64Array => {
  const random = new TestRandom(seed);
  return Float64Array.from(spans.flatMap((_, i) => [random.uniform(0, 2) + (i % 3), random.uniform(0, 2) - (i % 3)]));
};

const cosines = (name: string, shift: number): CosinesFigure["states"][number] => ({
  ...{ name, loss: 0.4216 + shift, sftLoss: 0.4105 + shift, contrastiveLoss: 1.1132 },
  entities: ["東京都", "Lindqvist", "W".repeat(60)].map((text, i) => ({
    ...{ text, cosine: 0.31 - 0.4 * i + shift },
    left: i === 0 ? null : { token: [" met", "\u200b"][i - 1] ?? "", cosine: -0.99 + i / 3 },
    right: { token: ["で", "x".repeat(60), "."][i] ?? "", cosine: 0.12 * i },
  })),
});
const contrastive: CosinesFigure = {
  ...{ model: "OBP Mini", type: LONG_TYPE, layer: 7, weight: 0.01 },
  states: [cosines("base", 0), cosines(LONG_ADAPTER, 0.2)],
};

test("the contrastive view as CSV", () => {
  const lines = cosinesDrawing(contrastive).csv().trim().split("\n");
  expect(lines).toHaveLength(1 + 2 * 3);
  expect(lines[0]).toBe("state,entity,cosine,left_token,left_cosine,right_token,right_cosine");
  expect(lines[1]).toBe('"base","東京都",0.31,,,"で",0');
});

test.each<[string, () => Scene]>([
  ["attention-one-head", () => attentionPicture(one, plain)],
  ["attention-hidden-first", () => attentionPicture(one, { ...plain, hideFirst: true })],
  [
    "attention-one-adapter-all-heads",
    () =>
      attentionPicture(
        { ...about, head: "all", adapters: [{ name: "base", weights: weights(2, 1, 9) }] },
        { ...plain, scale: "log", hideFirst: true },
      ),
  ],
  ["live-frame", () => attentionPicture(history().figure(2), history().options({ ...plain, hideFirst: true }))],
  [
    "live-difference",
    () => attentionPicture(history().figure(4), history().options({ ...plain, hideFirst: true, difference: true })),
  ],
  ["contrastive-view", () => cosinesPicture(contrastive)],
  ["heads-overview", () => massPicture(mass(8, 9, ["base", "SFT", LONG_ADAPTER]))],
  ["heads-overview-large", () => massPicture(mass(32, 32, ["base", "SFT"]))],
  ["heads-overview-alone", () => massPicture(mass(8, 9, ["base"]))],
  [
    "space-t-sne",
    () =>
      spacePicture({
        ...{
          model: "OBP Mini",
          layer: 7,
          representation: "key",
          types: [LONG_TYPE, "人名", "place"],
          spans,
          found: 90,
        },
        layout: {
          ...{ method: "tsne", iterations: 1000, start: "pca", seed: 1, klDivergence: 0.712 },
          settings: TSNE_DEFAULTS,
        },
        adapters: ["base", "SFT", LONG_ADAPTER, "DPO"].map((name, i) => ({ name, positions: around(i), scores })),
      }),
  ],
])("%s", (name, picture) => {
  const png = scenePng(picture(), 2);
  expectKept(name, png);
  expect(scenePng(picture(), 2)).toEqual(png);
});
