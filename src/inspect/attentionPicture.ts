/**
 * An attention map as a picture: one panel an adapter on one colour scale, or what each adds to the first; or small
 * panels of all heads of the layer. Rows are the response's tokens, columns the prompt's.
 */
import { type AdapterMap, type AttentionFigure, differences, headsOf } from "./attentionFigure.ts";
import { type ColourScale, differenceScale, numberLabel, opaque, paint, valueScale } from "./colourScale.ts";
import { withCompared } from "./comparedFields.ts";
import { BACKGROUND, BAR_WIDTH, caption, colourBar, INK, mark, markLegend, MARKS_WIDTH, shortened } from "./legend.ts";
import type { MapToken } from "./mapPrompt.ts";
import { frame, type Scene, type SceneShape, spelledOut, textWidth } from "./scene.ts";

export interface AttentionPictureOptions {
  readonly scale: "linear" | "log";
  /** Whether the first token, the attention sink, is left out of the scale and drawn grey. */
  readonly hideFirst: boolean;
  /** Whether the panels show what each adapter adds to the first. */
  readonly difference: boolean;
  /** Largest value on the scale; where absent, that of the maps shown. Maps of different times share one by it. */
  readonly top?: number;
}

const MARGIN = 16;
const LABEL = 9;
const LONGEST_LABEL = 90;
/** Below this cell size neither rows nor columns have room for a label. */
const LABELLED = 8;
const WIDEST = 1500;
const NOT_ON_SCALE = [217, 217, 217] as const;

interface Panel {
  readonly title: string;
  readonly values: Float32Array;
}

/** Colours of the figure's cells, one map after the other. */
export interface Painted {
  /** (heads, rows, columns, 4) of each map: the adapters, or their differences; one head where not all are shown. */
  readonly panels: readonly {
    readonly name: string;
    readonly values: Float32Array;
    readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  }[];
  readonly scale: ColourScale;
}

/** The colours alone, for who draws labels and frames otherwise. */
export function paintAttention(figure: AttentionFigure, options: AttentionPictureOptions): Painted {
  const maps = options.difference ? differences(figure) : figure.adapters;
  const columns = figure.columns.length;
  const scale = scaleOf(maps, columns, options);
  const panels = maps.map(({ name, weights }) => ({
    ...{ name, values: weights },
    rgba: cellPixels(weights, columns, scale, options.hideFirst),
  }));
  return { panels, scale };
}

export function attentionPicture(figure: AttentionFigure, options: AttentionPictureOptions): Scene {
  const { rows, columns } = figure;
  const maps = options.difference ? differences(figure) : figure.adapters;
  const scale = scaleOf(maps, columns.length, options);
  const every = figure.head === "all";
  const cell = every
    ? Math.max(1, Math.min(4, Math.floor(360 / columns.length)))
    : Math.max(1, Math.min(11, Math.floor(WIDEST / columns.length)));
  const panels = panelsOf(figure, maps);
  const labelled = !every && cell >= LABELLED;
  const [width, height] = [columns.length * cell, rows.length * cell];
  const labels = {
    left: labelled ? widest(rows) + 14 : 0,
    below: labelled ? widest(columns) + 10 : 6,
  };
  const across = every ? acrossOf(maps.length, panels.length, width) : width > 640 ? 1 : panels.length;
  const step = {
    x: width + 18,
    // Of panels below each other only the last row has the labels of the columns.
    y: height + 26,
  };
  const shapes: SceneShape[] = [];
  panels.forEach((panel, index) => {
    const [column, row] = [index % across, Math.floor(index / across)];
    const [x, y] = [MARGIN + labels.left + column * step.x, MARGIN + 22 + row * step.y];
    const last = index + across >= panels.length;
    const title = panels.length === 1 || every ? panel.title : `(${"abc".charAt(index)}) ${panel.title}`;
    shapes.push({
      kind: "text",
      x,
      y: y - 10,
      text: shortened(title, 11, width),
      size: 11,
      fill: INK.text,
      strong: true,
    });
    shapes.push(...heatmap(figure, panel.values, scale, { x, y, cell, hideFirst: options.hideFirst }));
    if (labelled && column === 0) shapes.push(...rowLabels(rows, x, y, cell));
    if (labelled && last) shapes.push(...columnLabels(columns, x, y + height, cell));
  });
  const down = Math.ceil(panels.length / across);
  const body = MARGIN + labels.left + across * step.x - 18;
  const total = Math.max(body, MARGIN + BAR_WIDTH + 40 + MARKS_WIDTH) + MARGIN;
  let y = MARGIN + 22 + down * step.y - 26 + labels.below + 10;
  const what = options.difference
    ? "difference of attention probabilities"
    : `attention probability, ${scale.kind} scale`;
  shapes.push(...colourBar(scale, what, MARGIN, y), ...markLegend(MARGIN + BAR_WIDTH + 40, y + 24));
  y += 46;
  const words = withCompared(captionOf(figure, maps, scale, options), figure.compared);
  const text = caption(words, MARGIN, y, total - 2 * MARGIN);
  shapes.push(...text.shapes);
  return { width: total, height: text.bottom + MARGIN, background: BACKGROUND, description: words, shapes };
}

function panelsOf(figure: AttentionFigure, maps: readonly AdapterMap[]): Panel[] {
  const size = figure.rows.length * figure.columns.length;
  return headsOf(figure).flatMap((head, h) =>
    maps.map(({ name, weights }) => ({
      title: figure.head === "all" ? `head ${head}${maps.length > 1 ? `, ${name}` : ""}` : name,
      values: weights.subarray(h * size, (h + 1) * size),
    })),
  );
}

/** Adapters stand beside each other, head below head; a single adapter's heads fill the width. */
function acrossOf(adapters: number, panels: number, width: number): number {
  return adapters > 1 ? adapters : Math.min(panels, Math.max(1, Math.floor(WIDEST / (width + 18))), 4);
}

function scaleOf(
  maps: readonly AdapterMap[],
  columns: number,
  { scale, hideFirst, difference, top }: AttentionPictureOptions,
): ColourScale {
  const most = top ?? Math.max(0, ...maps.map(({ weights }) => largest(weights, columns, hideFirst)));
  return difference ? differenceScale(most) : valueScale(scale, most);
}

/** Largest size of a value that is on the scale. */
export function largest(values: Float32Array, columns: number, hideFirst: boolean): number {
  let most = 0;
  for (let row = 0; row < values.length; row += columns) {
    for (let i = hideFirst ? row + 1 : row; i < row + columns; i++) {
      const size = Math.abs(values[i] ?? 0);
      if (size > most) most = size;
    }
  }
  return most;
}

function heatmap(
  { rows, columns }: AttentionFigure,
  values: Float32Array,
  scale: ColourScale,
  { x, y, cell, hideFirst }: { x: number; y: number; cell: number; hideFirst: boolean },
): SceneShape[] {
  const rgb = cellColours(values, columns.length, scale, hideFirst);
  const [width, height] = [columns.length * cell, rows.length * cell];
  return [
    { kind: "cells", x, y, width, height, columns: columns.length, rows: rows.length, rgb },
    ...frame(x, y, width, height, INK.line, 0.5),
    ...runs(columns).flatMap(({ role, first, count }) => [
      // White around it, so that it shows on dark cells too.
      ...frame(x + first * cell, y, count * cell, height, BACKGROUND, 2.6),
      ...frame(x + first * cell, y, count * cell, height, INK[role], 1.2),
      mark(role, x + (first + count / 2) * cell, y - 4.5),
    ]),
  ];
}

/** @returns (values, 4) */
function cellPixels(
  values: Float32Array,
  columns: number,
  scale: ColourScale,
  hideFirst: boolean,
): Uint8ClampedArray<ArrayBuffer> {
  const rgba = paint(scale, values);
  if (hideFirst) {
    const [notOnScale = 0] = new Uint32Array(opaque(Uint8Array.of(...NOT_ON_SCALE)).buffer);
    const pixels = new Uint32Array(rgba.buffer);
    for (let i = 0; i < pixels.length; i += columns) pixels[i] = notOnScale;
  }
  return rgba;
}

function cellColours(values: Float32Array, columns: number, scale: ColourScale, hideFirst: boolean): Uint8Array {
  const rgba = cellPixels(values, columns, scale, hideFirst);
  const rgb = new Uint8Array(values.length * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from] ?? 0;
    rgb[to + 1] = rgba[from + 1] ?? 0;
    rgb[to + 2] = rgba[from + 2] ?? 0;
  }
  return rgb;
}

export interface TokenRun {
  readonly role: "entity" | "type";
  readonly first: number;
  count: number;
}

/** Neighbouring tokens that are entities, or the type's name. */
export function runs(tokens: readonly MapToken[]): TokenRun[] {
  const found: TokenRun[] = [];
  tokens.forEach(({ role }, index) => {
    const last = found.at(-1);
    if (role === "plain") return;
    if (last?.role === role && last.first + last.count === index) last.count++;
    else found.push({ role, first: index, count: 1 });
  });
  return found;
}

function rowLabels(rows: readonly MapToken[], x: number, y: number, cell: number): SceneShape[] {
  return rows.flatMap((token, i): SceneShape[] => {
    const [middle, marked] = [y + (i + 0.5) * cell, token.role !== "plain"];
    const text: SceneShape = { ...label(token), x: x - (marked ? 12 : 4), y: middle + 3, anchor: "end" };
    return token.role === "plain" ? [text] : [text, mark(token.role, x - 6, middle)];
  });
}

function columnLabels(columns: readonly MapToken[], x: number, y: number, cell: number): SceneShape[] {
  return columns.map((token, j) => ({
    ...label(token),
    ...{ x: x + (j + 0.5) * cell + 3, y: y + 5, anchor: "end", rotate: -90 },
  }));
}

function label(token: MapToken): { kind: "text"; text: string; size: number; fill: string; strong: boolean } {
  const text = shortened(spelledOut(token.text), LABEL, LONGEST_LABEL);
  const marked = token.role !== "plain";
  return { kind: "text", text, size: LABEL, fill: token.role === "plain" ? INK.text : INK[token.role], strong: marked };
}

function widest(tokens: readonly MapToken[]): number {
  return Math.min(
    LONGEST_LABEL,
    tokens.reduce((most, { text }) => Math.max(most, textWidth(spelledOut(text), LABEL)), 0),
  );
}

function captionOf(
  { model, layer, head, heads, type, rows, columns }: AttentionFigure,
  maps: readonly AdapterMap[],
  scale: ColourScale,
  { hideFirst, difference }: AttentionPictureOptions,
): string {
  const which =
    head === "mean" ? `mean over ${heads} heads` : head === "all" ? `each of ${heads} heads` : `head ${head}`;
  const names = maps.map(({ name }, i) => (maps.length > 1 && head !== "all" ? `(${"abc".charAt(i)}) ${name}` : name));
  const range = difference
    ? `One scale from −${numberLabel(scale.high)} to +${numberLabel(scale.high)}`
    : `One ${scale.kind} scale up to ${numberLabel(scale.high)}`;
  return [
    `Attention of the response (${rows.length} tokens, rows) over the prompt (${columns.length} tokens, columns), type ${type}.`,
    `Model ${model}, layer ${layer}, ${which}.`,
    `Adapter${maps.length > 1 ? "s" : ""}: ${names.join(", ")}.`,
    `${range}${hideFirst ? "; the first token is not on it (grey)" : "; the first token is on it"}. Columns are not renormalised.`,
  ].join(" ");
}
