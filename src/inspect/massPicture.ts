/** Attention on gold entities as a picture, layers × heads: each adapter on one scale, and its change from the first. */
import { type ColourScale, differenceScale, numberLabel, valueScale } from "./colourScale.ts";
import { withCompared } from "./comparedFields.ts";
import type { Figure } from "./figureFile.ts";
import { BACKGROUND, BAR_WIDTH, caption, colourBar, INK, shortened } from "./legend.ts";
import { massChanges, massCsv, type MassFigure, massJson, meanMass } from "./massFigure.ts";
import { frame, type Scene, type SceneShape, textWidth } from "./scene.ts";

const MARGIN = 16;
const AXIS = 44;
/** Room for a panel's title, where its cells are narrower. */
const TITLE = 170;
/** Above so many heads the cells have no room for their number. */
const NUMBERED = 16;

/** One map, layers × heads, coloured. */
interface PaintedMass {
  readonly name: string;
  /** Mean over all layers and heads. */
  readonly mean: number;
  readonly mass: readonly (readonly number[])[];
  /** (layers, heads, 3) */
  readonly rgb: Uint8Array;
}

/** Maps on one scale. */
interface MassRow {
  readonly scale: ColourScale;
  readonly maps: readonly PaintedMass[];
}

export function massDrawing(figure: MassFigure): Figure {
  return { json: () => massJson(figure), csv: () => massCsv(figure), scene: () => massPicture(figure) };
}

/** The colours alone, for who draws labels otherwise; changes are those from the first adapter, of the others. */
export function paintMass(figure: MassFigure): { values: MassRow; changes: MassRow } {
  const most = (list: readonly { mass: readonly (readonly number[])[] }[]): number =>
    list.flatMap(({ mass }) => mass.flat()).reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const painted = (list: readonly Pick<PaintedMass, "name" | "mass">[], scale: ColourScale): MassRow => ({
    scale,
    maps: list.map(({ name, mass }) => ({ name, mass, mean: meanMass(mass), rgb: coloursOf(mass.flat(), scale) })),
  });
  const values = figure.adapters.map(({ name, entities }) => ({ name, mass: entities }));
  const changes = massChanges(figure);
  return {
    values: painted(values, valueScale("linear", most(values))),
    changes: painted(changes, differenceScale(most(changes))),
  };
}

function coloursOf(values: readonly number[], scale: ColourScale): Uint8Array {
  const rgb = new Uint8Array(values.length * 3);
  values.forEach((value, i) => {
    const at = 3 * scale.level(value);
    rgb.set(scale.table.subarray(at, at + 3), 3 * i);
  });
  return rgb;
}

/** Layers × heads: each adapter on one scale, and below it what the later ones add to the first. */
export function massPicture(figure: MassFigure): Scene {
  const { adapters, model, type, rows, entityTokens } = figure;
  const [first] = adapters;
  if (first === undefined) {
    throw new Error("expected one adapter at least, got none");
  }
  const layers = first.entities.length;
  const heads = first.entities[0]?.length ?? 0;
  const cell = heads <= NUMBERED ? { width: 32, height: 15 } : { width: 11, height: 9 };
  const [width, height] = [heads * cell.width, layers * cell.height];
  const { values, changes } = paintMass(figure);
  const shapes: SceneShape[] = [];
  const wide = Math.max(width, TITLE);
  const stepX = wide + AXIS + 12;
  let y = MARGIN + 24;
  const row = ({ maps }: MassRow, indent: number, sign: boolean): void => {
    maps.forEach((map, i) => {
      const x = MARGIN + AXIS + (i + indent) * stepX;
      const title = { kind: "text", x, y: y - 9, size: 11, fill: INK.text, strong: true } as const;
      // However long the name, what it is the change from and the mean stand behind it.
      const own = sign ? (adapters[i + 1]?.name ?? "") : map.name;
      const from = sign ? ` − ${shortened(first.name, 11, wide / 4)}` : "";
      const rest = `${from}, mean ${sign && map.mean > 0 ? "+" : ""}${numberLabel(map.mean)}`;
      shapes.push({ ...title, text: `${shortened(own, 11, wide - textWidth(rest, 11))}${rest}` });
      shapes.push(...grid(map, { x, y, ...cell }, sign && heads <= NUMBERED, heads <= NUMBERED));
    });
    y += height + 44;
  };
  row(values, 0, false);
  if (changes.maps.length > 0) row(changes, 1, true);
  const total = Math.max(MARGIN + adapters.length * stepX, 2 * BAR_WIDTH + 100) + MARGIN;
  shapes.push(...colourBar(values.scale, "attention on gold entities", MARGIN, y));
  if (changes.maps.length > 0) {
    shapes.push(...colourBar(changes.scale, `change from ${first.name}`, MARGIN + BAR_WIDTH + 50, y));
  }
  const said = [
    `How much of the attention of the response (${rows} tokens, mean) falls on the sentence's gold entities of type ${type} (${entityTokens} token${entityTokens === 1 ? "" : "s"}), layer by layer and head by head.`,
    `Model ${model}. Adapters: ${adapters.map(({ name }) => name).join(", ")}.`,
    heads <= NUMBERED ? "Numbers in cells are hundredths." : "",
  ].join(" ");
  const words = withCompared(said.trim(), figure.compared);
  const text = caption(words, MARGIN, y + 46, total - 2 * MARGIN);
  shapes.push(...text.shapes);
  return { width: total, height: text.bottom + MARGIN, background: BACKGROUND, description: words, shapes };
}

function grid(
  { mass, rgb }: PaintedMass,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  signed: boolean,
  numbered: boolean,
): SceneShape[] {
  const heads = mass[0]?.length ?? 0;
  const size = { width: heads * width, height: mass.length * height };
  const every = Math.ceil(9 / height);
  const axis = (text: string, left: number, top: number, anchor: "end" | "middle"): SceneShape => {
    return { kind: "text", x: left, y: top, text, size: 9, fill: INK.quiet, anchor };
  };
  return [
    { kind: "cells", x, y, ...size, columns: heads, rows: mass.length, rgb },
    ...frame(x, y, size.width, size.height, INK.line, 0.5),
    ...mass.flatMap((_, l) =>
      l % every === 0 ? [axis(l === 0 ? `layer ${l}` : String(l), x - 4, y + (l + 0.5) * height + 3, "end")] : [],
    ),
    ...Array.from({ length: heads }, (_, h) => h)
      .filter((h) => numbered || h % 4 === 0)
      .map((h) => axis(h === 0 ? "head 0" : String(h), x + (h + 0.5) * width, y + size.height + 11, "middle")),
    ...(numbered
      ? mass.flat().map((value, i): SceneShape => {
          const dark = (rgb[3 * i + 1] ?? 255) < 130;
          const place = { x: x + ((i % heads) + 0.5) * width, y: y + (Math.floor(i / heads) + 0.5) * height + 3 };
          const text = hundredths(value, signed);
          return { kind: "text", ...place, text, size: 8.5, fill: dark ? "#ffffff" : INK.text, anchor: "middle" };
        })
      : []),
  ];
}

/** A share in hundredths; what rounds to 0 has no sign. */
function hundredths(share: number, signed: boolean): string {
  const text = (100 * share).toFixed(1);
  if (Number(text) === 0) return "0.0";
  return (signed && share > 0 ? "+" : "") + text.replace("-", "−");
}
