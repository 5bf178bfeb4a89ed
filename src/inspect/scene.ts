/**
 * A picture as a list of shapes: the panels' figures are made once as a Scene and written as SVG (sceneSvg.ts) or PNG
 * (png.ts), on the page and on the command line alike. Lengths are CSS pixels, y grows downwards, later shapes lie on
 * top. Colours are "#rrggbb".
 */

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly background: string;
  /** What the picture shows, for those who cannot see it. */
  readonly description: string;
  readonly shapes: readonly SceneShape[];
}

export type SceneShape = RectShape | PolygonShape | CircleShape | LineShape | TextShape | CellsShape;

interface Filled {
  readonly fill: string;
  /** 0…1; 1 where absent. */
  readonly opacity?: number;
}
export interface RectShape extends Filled {
  readonly kind: "rect";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface PolygonShape extends Filled {
  readonly kind: "polygon";
  /** x, y of each corner. */
  readonly points: readonly number[];
}
export interface CircleShape extends Filled {
  readonly kind: "circle";
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}
export interface LineShape {
  readonly kind: "line";
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly stroke: string;
  readonly width: number;
}
export interface TextShape {
  readonly kind: "text";
  /** Where the anchor stands; y is the baseline. */
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly size: number;
  readonly fill: string;
  /** Semibold. */
  readonly strong?: boolean;
  /** Which part of the text stands at x; start where absent. */
  readonly anchor?: "start" | "middle" | "end";
  /** Degrees clockwise about (x, y). */
  readonly rotate?: number;
}
/** A heatmap's cells, all of one size; one shape, however many they are. */
export interface CellsShape {
  readonly kind: "cells";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
  /** (rows, columns, 3) */
  readonly rgb: Uint8Array;
}

/** Outline of a frame, as four lines that meet in its corners. */
export function frame(
  x: number,
  y: number,
  width: number,
  height: number,
  stroke: string,
  thickness: number,
): RectShape[] {
  const half = thickness / 2;
  const bar = (left: number, top: number, wide: number, high: number): RectShape => ({
    kind: "rect",
    x: left,
    y: top,
    width: wide,
    height: high,
    fill: stroke,
  });
  return [
    bar(x - half, y - half, width + thickness, thickness),
    bar(x - half, y + height - half, width + thickness, thickness),
    bar(x - half, y + half, thickness, height - thickness),
    bar(x + width - half, y + half, thickness, height - thickness),
  ];
}

/** Width of a text in the pictures' font, to a few per cent: enough to lay out and to break lines without the font. */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const character of text) {
    ems += emsOf(character);
  }
  return ems * size;
}

function emsOf(character: string): number {
  if (/[ijlI.,:;'|!()[\] tfr]/u.test(character)) {
    return 0.33;
  }
  if (/[mwMW@%—…]/u.test(character)) {
    return 0.9;
  }
  if (/\p{Lu}|\d/u.test(character)) {
    return 0.67;
  }
  return /[\u1100-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]/u.test(character) ? 1 : 0.58;
}

/** Breaks a text between words into lines of at most `width`; a longer word is a line of its own. */
export function breakLines(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/u)) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, size) <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}
