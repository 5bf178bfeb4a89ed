/** How trainings differ, in the figures of the plane and of the contrastive loss; the pictures were looked at. */
import { expect, test } from "vitest";
import { compareStates } from "../train/compareRuns.ts";
import { PRESETS } from "../train/presets.ts";
import type { CosinesFigure } from "./cosinesFigure.ts";
import { cosinesDrawing } from "./cosinesPicture.ts";
import { expectKept } from "./keptPicture.ts";
import { scenePng } from "./png.ts";
import type { EntitySpan } from "./representations.ts";
import { sceneSvg } from "./sceneSvg.ts";
import { figureCsv, figureJson, type SpaceFigure } from "./spaceFigure.ts";
import { spacePicture } from "./spacePicture.ts";

const names = ["SFT", "DPO"];
const compared = compareStates(
  names.map((name, i) => {
    const config = i === 0 ? PRESETS.sft.quick : PRESETS.dpo.quick;
    const start = i === 0 ? { id: "", label: "a fresh adapter" } : { id: "a", label: "SFT" };
    return {
      name,
      made: { run: name, config, start, model: null, data: { id: "d", label: "12 documents" }, steps: 1 },
    };
  }),
);
const said =
  "Configurations: stage SFT | DPO; begins with a fresh adapter | SFT; learning rate 2e-3 | 1e-4; epochs 8 | 3; dropout 0.05 | 0; β – | 0.1.";
const own = (value: string, ...others: string[]): string => [`,"stage ${value}`, ...others].join("; ") + '"';
const [sft, dpo] = [
  own("SFT", "begins with a fresh adapter", "learning rate 2e-3", "epochs 8", "dropout 0.05", "β –"),
  own("DPO", "begins with SFT", "learning rate 1e-4", "epochs 3", "dropout 0", "β 0.1"),
];
const endings = (csv: string): string[] => [
  ...new Set(
    csv
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((line) => line.slice(line.indexOf(',"stage'))),
  ),
];

test("entities in a plane", () => {
  const spans = ["butter", "pan"].map((text, i): EntitySpan => {
    return { document: "d", start: 9 * i, end: 9 * i + text.length, text, type: i === 0 ? "ingredient" : "utensil" };
  });
  const scores = { silhouette: { euclidean: 0.5, cosine: 0.25 }, purity: 1, trustworthiness: null };
  const figure: SpaceFigure = {
    ...{ model: "OBP Mini", layer: 7, representation: "key", types: ["ingredient", "utensil"], spans, found: 2 },
    layout: { method: "pca", explained: [0.75, 0.25] },
    adapters: names.map((name, i) => ({ name, positions: Float32Array.of(0, i, 1, 0.5), scores })),
    compared,
  };
  const scene = spacePicture(figure);
  expect(scene.description.endsWith(` ${said}`)).toBe(true);
  expect(sceneSvg(scene).replace(/<\/text>\n<text[^>]*>/g, " ")).toContain(`${said}</text>`);
  expectKept("space-compared-runs", scenePng(scene, 1));
  const at = (_: EntitySpan, offset: number): number => offset;
  expect(figureJson(figure, at)["compared"]).toEqual({
    ...{ text: said, notes: [] },
    differences: expect.arrayContaining([{ setting: "stage", values: names }]) as unknown,
  });
  expect(figureCsv(figure, at).split("\r\n")[0]).toBe("adapter,document,start,end,text,type,x,y,configuration");
  expect(endings(figureCsv(figure, at))).toEqual([sft, dpo]);
  const alone = { ...figure, compared: null };
  expect(figureCsv(alone, at).split("\r\n")[0]).toBe("adapter,document,start,end,text,type,x,y");
  expect(figureJson(alone, at)).not.toHaveProperty("compared");
  expect(spacePicture(alone).description).not.toContain("Configurations");
});

test("what the contrastive loss sees", () => {
  const side = { token: " of", cosine: -0.25 };
  const figure: CosinesFigure = {
    ...{ model: "OBP Mini", type: "ingredient", layer: 7, weight: 0.01, compared },
    states: names.map((name, i) => ({
      ...{ name, loss: 1.01, sftLoss: 1, contrastiveLoss: 1 },
      entities: [{ text: "butter", cosine: 0.5 + 0.25 * i, left: side, right: null }],
    })),
  };
  const drawn = cosinesDrawing(figure);
  expect(drawn.json()["compared"]).toMatchObject({ text: said });
  expect(endings(drawn.csv())).toEqual([sft, dpo]);
  expect(drawn.scene().description).toContain(said);
  expectKept("contrastive-compared-runs", scenePng(drawn.scene(), 1));
});
