// Draws what of a heatmap is in sight: cells scaled up from one pixel each, frozen labels, frames, the cell in hand.

import type { AttentionToken, AttentionView, EntityTokens } from "../../worker/protocol.ts";

/** Room for the tokens of rows, the marks above, and the tokens of columns. CSS pixels. */
export const LEFT = 104;
export const TOP = 14;
const BELOW = 84;
const LABEL = 10;
/** Below it neither rows nor columns have room for a token. */
const LABELLED = 10;
const READABLE = 14;
const MOST_HEIGHT = 420;

export interface HeatmapShape {
  rows: number;
  columns: number;
  cellWidth: number;
  cellHeight: number;
  /** Height of the labels below. */
  below: number;
  /** Of the whole, what is out of sight included. */
  width: number;
  height: number;
}

/** Widest cell, and how far beyond the panel's own size a map can be enlarged. */
const WIDEST_CELL = 40;
export const MOST_ZOOM = 64;

/** @param available width of the panel @param zoom times the size that fits, or is readable */
export function heatmapShape(
  rows: number,
  columns: number,
  available: number,
  readable: boolean,
  zoom = 1,
): HeatmapShape {
  const fit = Math.max(0.1, (available - LEFT - 2) / columns);
  const wide = readable ? Math.max(READABLE, Math.min(fit, 24)) : Math.min(fit, 24);
  const high = readable ? READABLE : Math.max(0.4, Math.min(READABLE, MOST_HEIGHT / rows));
  const cellWidth = Math.max(wide, Math.min(WIDEST_CELL, wide * zoom));
  const cellHeight = Math.max(high, Math.min(WIDEST_CELL, high * zoom));
  const below = cellWidth >= LABELLED ? BELOW : 6;
  const size = { width: LEFT + columns * cellWidth + 1, height: TOP + rows * cellHeight + below };
  return { rows, columns, cellWidth, cellHeight, below, ...size };
}

export interface HeatmapInk {
  background: string;
  text: string;
  soft: string;
  line: string;
  entity: string;
  type: string;
  hand: string;
  font: string;
}

/** Colours of the page as it is now. */
export function heatmapInk(): HeatmapInk {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ...{ background: of("--bg"), text: of("--text"), soft: of("--text-soft"), line: of("--line-strong") },
    ...{ entity: of("--mark-entity"), type: of("--mark-type"), hand: of("--accent"), font: of("--mono") },
  };
}

export interface HeatmapScene {
  view: AttentionView;
  shape: HeatmapShape;
  /** (columns × rows) pixels. */
  cells: ImageBitmap;
  cell: { row: number; column: number; locked: boolean } | null;
  /** The entity in hand: its rows and columns. */
  entity?: EntityTokens | null;
  scroll: { x: number; y: number };
  /** Of the canvas, CSS pixels. */
  size: { width: number; height: number };
  ink: HeatmapInk;
}

export function drawHeatmap(context: CanvasRenderingContext2D, scene: HeatmapScene): void {
  const { view, shape, cells, cell, scroll, size, ink } = scene;
  const { cellWidth, cellHeight, rows, columns, below } = shape;
  const right = Math.min(size.width, LEFT + columns * cellWidth - scroll.x);
  const bottom = Math.min(size.height - below, TOP + rows * cellHeight - scroll.y);
  context.fillStyle = ink.background;
  context.fillRect(0, 0, size.width, size.height);
  const xOf = (column: number): number => LEFT + column * cellWidth - scroll.x;
  const yOf = (row: number): number => TOP + row * cellHeight - scroll.y;
  const inside = (draw: () => void, top: number, left: number, low: number): void => {
    context.save();
    context.beginPath();
    context.rect(left, top, size.width - left, low - top);
    context.clip();
    draw();
    context.restore();
  };
  inside(
    () => {
      context.imageSmoothingEnabled = cellWidth < 1 || cellHeight < 1;
      context.drawImage(cells, xOf(0), yOf(0), columns * cellWidth, rows * cellHeight);
      context.lineWidth = 1;
      context.strokeStyle = ink.line;
      context.strokeRect(xOf(0) - 0.5, yOf(0) - 0.5, columns * cellWidth + 1, rows * cellHeight + 1);
      drawRuns(context, view.columnRuns, xOf, yOf(0), rows * cellHeight);
      if (scene.entity != null) drawEntity(context, scene, scene.entity, xOf, yOf);
      if (cell !== null) drawHand(context, scene, xOf(cell.column), yOf(cell.row), right, bottom);
    },
    TOP - 2,
    LEFT - 2,
    bottom + 2,
  );
  inside(
    () => {
      for (const { role, first, count } of view.columnRuns) drawMark(context, ink, role, xOf(first + count / 2), 6);
    },
    0,
    LEFT - 4,
    TOP,
  );
  if (cellHeight >= LABELLED) {
    inside(
      () => view.rows.forEach((token, row) => rowLabel(context, scene, token, row, yOf(row))),
      TOP - 2,
      0,
      bottom + 2,
    );
  }
  if (cellWidth >= LABELLED) {
    inside(
      () =>
        view.columns.forEach((token, column) => columnLabel(context, scene, token, column, xOf(column), bottom + 4)),
      bottom,
      LEFT - 2,
      size.height,
    );
  }
}

/** Frames around columns that are entities or the type's name. @param xOf left edge of a column */
function drawRuns(
  context: CanvasRenderingContext2D,
  columnRuns: AttentionView["columnRuns"],
  xOf: (column: number) => number,
  y: number,
  height: number,
): void {
  for (const { role, first, count } of columnRuns) {
    // White around it, so that it shows on dark cells too.
    const box = [xOf(first), y, xOf(first + count) - xOf(first), height] as const;
    context.lineWidth = 3;
    context.strokeStyle = "#ffffff";
    context.strokeRect(...box);
    context.lineWidth = 1.4;
    context.strokeStyle = role === "entity" ? "#0b6e4f" : "#8a3ffc";
    context.strokeRect(...box);
  }
}

/** Frames around the rows that name the entity in hand, and around its own columns. */
function drawEntity(
  context: CanvasRenderingContext2D,
  { shape: { cellWidth, cellHeight, rows, columns }, ink }: HeatmapScene,
  entity: EntityTokens,
  xOf: (column: number) => number,
  yOf: (row: number) => number,
): void {
  const frame = (x: number, y: number, width: number, height: number, thickness: number): void => {
    // White around it, as around the other frames.
    for (const [style, line] of [["#ffffff", thickness + 2] as const, [ink.hand, thickness] as const]) {
      context.lineWidth = line;
      context.strokeStyle = style;
      context.strokeRect(x, y, width, height);
    }
  };
  const [first, last] = [entity.rows.at(0), entity.rows.at(-1)];
  if (first !== undefined && last !== undefined) {
    frame(xOf(0), yOf(first), columns * cellWidth, (last + 1 - first) * cellHeight, 1.2);
  }
  const [left, right] = [entity.columns.at(0), entity.columns.at(-1)];
  if (left !== undefined && right !== undefined) {
    frame(xOf(left), yOf(0), Math.max((right + 1 - left) * cellWidth, 3), rows * cellHeight, 2.4);
  }
}

/** Lines through the row and the column in hand, and the cell itself. */
function drawHand(
  context: CanvasRenderingContext2D,
  { shape: { cellWidth, cellHeight }, ink, cell }: HeatmapScene,
  x: number,
  y: number,
  right: number,
  bottom: number,
): void {
  const [width, height] = [Math.max(cellWidth, 3), Math.max(cellHeight, 3)];
  context.globalAlpha = 0.14;
  context.fillStyle = ink.hand;
  context.fillRect(LEFT, y, right - LEFT, height);
  context.fillRect(x, TOP, width, bottom - TOP);
  context.globalAlpha = 1;
  context.lineWidth = 5;
  context.strokeStyle = "#ffffff";
  context.strokeRect(x, y, width, height);
  context.lineWidth = cell?.locked === true ? 2.5 : 1.5;
  context.strokeStyle = ink.hand;
  context.strokeRect(x, y, width, height);
}

/** Told apart by shape as well as colour: a triangle for entities, a diamond for the type's name. */
export function drawMark(
  context: CanvasRenderingContext2D,
  ink: HeatmapInk,
  role: "entity" | "type",
  x: number,
  y: number,
): void {
  const corners = role === "entity" ? [-3.5, -3.5, 3.5, -3.5, 0, 3.5] : [0, -3.5, 3.5, 0, 0, 3.5, -3.5, 0];
  context.beginPath();
  for (let i = 0; i < corners.length; i += 2) context.lineTo(x + (corners[i] ?? 0), y + (corners[i + 1] ?? 0));
  context.closePath();
  context.fillStyle = ink[role];
  context.fill();
}

function rowLabel(
  context: CanvasRenderingContext2D,
  { shape: { cellHeight }, ink, cell, entity, size }: HeatmapScene,
  token: AttentionToken,
  row: number,
  y: number,
): void {
  if (y < -cellHeight || y > size.height) return;
  const middle = y + cellHeight / 2;
  context.textAlign = "right";
  write(context, ink, token, cell?.row === row || entity?.rows.includes(row) === true, LEFT - 6, middle + 3.5);
  if (token.role !== "plain") drawMark(context, ink, token.role, 7, middle);
}

function columnLabel(
  context: CanvasRenderingContext2D,
  { shape: { cellWidth }, ink, cell, entity, size }: HeatmapScene,
  token: AttentionToken,
  column: number,
  x: number,
  y: number,
): void {
  if (x < LEFT - cellWidth || x > size.width) return;
  context.save();
  context.translate(x + cellWidth / 2 + 3.5, y);
  context.rotate(-Math.PI / 2);
  context.textAlign = "right";
  write(context, ink, token, cell?.column === column || entity?.columns.includes(column) === true, 0, 0);
  context.restore();
}

function write(
  context: CanvasRenderingContext2D,
  ink: HeatmapInk,
  token: AttentionToken,
  inHand: boolean,
  x: number,
  y: number,
): void {
  context.font = `${token.role === "plain" ? 400 : 650} ${LABEL}px ${ink.font}`;
  context.fillStyle = inHand ? ink.hand : token.role === "plain" ? ink.soft : ink[token.role];
  context.fillText(tokenLabel(token.text, 14), x, y);
}

/** White space and characters without ink that are all of a token are spelled out. */
export function tokenLabel(text: string, longest = Infinity): string {
  const spelled = (one: string): string =>
    SPELLED[one] ?? `U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  const seen = /[^\s\p{Cf}\p{Cc}]/u.test(text) ? text.trim() : text.replace(/./gsu, spelled);
  const characters = Array.from(seen);
  return characters.length > longest ? `${characters.slice(0, longest - 1).join("")}…` : seen;
}

const SPELLED: Readonly<Record<string, string>> = { " ": "·", "\n": "⏎", "\t": "⇥" };
