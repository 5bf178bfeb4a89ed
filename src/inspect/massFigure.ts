/** How much attention of a response falls on gold entities, head by head over all layers: data, CSV and picture. */
import { type ColourScale, differenceScale, numberLabel, valueScale } from "./colourScale.ts";
import { BACKGROUND, BAR_WIDTH, caption, colourBar, INK, shortened } from "./legend.ts";
import { frame, type Scene, type SceneShape } from "./scene.ts";

export interface MassFigure {
  readonly model: string;
  readonly type: string;
  /** Tokens of the response, and of the gold entities in the sentence. */
  readonly rows: number;
  readonly entityTokens: number;
  readonly adapters: readonly AdapterMass[];
}

/** (layers, heads): mean over the response's tokens of the attention on a set of the prompt's tokens. */
export interface AdapterMass {
  readonly name: string;
  readonly entities: readonly (readonly number[])[];
  /** The type's name in the instruction, and the first token. */
  readonly type: readonly (readonly number[])[];
  readonly first: readonly (readonly number[])[];
}

/** Mean over all layers and heads. */
export function meanMass(mass: readonly (readonly number[])[]): number {
  const values = mass.flat();
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function massCsv({ adapters }: MassFigure): string {
  const lines = adapters.flatMap(({ name, entities, type, first }) =>
    entities.flatMap((heads, layer) =>
      heads.map((value, head) =>
        [`"${name.replaceAll('"', '""')}"`, layer, head, value, type[layer]?.[head], first[layer]?.[head]].join(","),
      ),
    ),
  );
  return `adapter,layer,head,entities,type,first\n${lines.join("\n")}\n`;
}

const MARGIN = 16;
const AXIS = 44;
/** Room for a panel's title, where its cells are narrower. */
const TITLE = 170;
/** Above so many heads the cells have no room for their number. */
const NUMBERED = 16;

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
  const values = adapters.map(({ name, entities }) => ({ name, mass: entities }));
  const changes = adapters.slice(1).map(({ name, entities }) => ({
    name: `${name} − ${first.name}`,
    mass: entities.map((row, l) => row.map((value, h) => value - (first.entities[l]?.[h] ?? NaN))),
  }));
  const most = (list: readonly { mass: readonly (readonly number[])[] }[]): number =>
    list.flatMap(({ mass }) => mass.flat()).reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const scales = { values: valueScale("linear", most(values)), changes: differenceScale(most(changes)) };
  const shapes: SceneShape[] = [];
  const wide = Math.max(width, TITLE);
  const stepX = wide + AXIS + 12;
  let y = MARGIN + 24;
  const row = (list: typeof values, scale: ColourScale, indent: number, sign: boolean): void => {
    list.forEach(({ name, mass }, i) => {
      const x = MARGIN + AXIS + (i + indent) * stepX;
      const title = { kind: "text", x, y: y - 9, size: 11, fill: INK.text, strong: true } as const;
      shapes.push({ ...title, text: shortened(`${name}, mean ${numberLabel(meanMass(mass))}`, 11, wide) });
      shapes.push(...grid(mass, scale, { x, y, ...cell }, sign && heads <= NUMBERED, heads <= NUMBERED));
    });
    y += height + 44;
  };
  row(values, scales.values, 0, false);
  if (changes.length > 0) row(changes, scales.changes, 1, true);
  const total = Math.max(MARGIN + adapters.length * stepX, 2 * BAR_WIDTH + 100) + MARGIN;
  shapes.push(...colourBar(scales.values, "attention on gold entities", MARGIN, y));
  if (changes.length > 0) {
    shapes.push(...colourBar(scales.changes, `change from ${first.name}`, MARGIN + BAR_WIDTH + 50, y));
  }
  const words = [
    `How much of the attention of the response (${rows} tokens, mean) falls on the sentence's gold entities of type ${type} (${entityTokens} tokens), layer by layer and head by head.`,
    `Model ${model}. Adapters: ${adapters.map(({ name }) => name).join(", ")}.`,
    heads <= NUMBERED ? "Numbers in cells are hundredths." : "",
  ].join(" ");
  const text = caption(words.trim(), MARGIN, y + 46, total - 2 * MARGIN);
  shapes.push(...text.shapes);
  return { width: total, height: text.bottom + MARGIN, background: BACKGROUND, description: words.trim(), shapes };
}

function grid(
  mass: readonly (readonly number[])[],
  scale: ColourScale,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  signed: boolean,
  numbered: boolean,
): SceneShape[] {
  const heads = mass[0]?.length ?? 0;
  const rgb = new Uint8Array(mass.length * heads * 3);
  const levels = mass.flat().map((value) => scale.level(value));
  levels.forEach((level, i) => rgb.set(scale.table.subarray(3 * level, 3 * level + 3), 3 * i));
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
          const at = 3 * (levels[i] ?? 0);
          const dark = (scale.table[at + 1] ?? 255) < 130;
          const place = { x: x + ((i % heads) + 0.5) * width, y: y + (Math.floor(i / heads) + 0.5) * height + 3 };
          const text = (signed && value > 0 ? "+" : "") + (100 * value).toFixed(1).replace("-", "−");
          return { kind: "text", ...place, text, size: 8.5, fill: dark ? "#ffffff" : INK.text, anchor: "middle" };
        })
      : []),
  ];
}
