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
  return IN_FONT.test(character) ? 0.58 : boxEms(character);
}

/** About what the pictures' font has; in a PNG all else is a box (pictureFonts.ts). */
const IN_FONT =
  /[\u0020-\u024f\u02b0-\u030f\u0370-\u052f\u1d00-\u1dbf\u1e00-\u1e9f\u1ef2-\u1eff\u2000-\u206f\u20a0-\u20c0\u2113\u2122\u2191\u2193\u2212\u2215\ufffd]/u;

/** Digits of a box lie in two rows, in columns of this width; there is room around them. Parts of the text's size. */
export const BOX_COLUMN = 0.36;
export const BOX_AROUND = 0.28;

/** Width of the box that stands for a character, in sizes of the text; about an ideograph's, or an emoji's. */
export function boxEms(character: string): number {
  return boxRows(character)[0].length * BOX_COLUMN + BOX_AROUND;
}

/** A character's code point in hexadecimal, in two rows: four digits, or six. */
export function boxRows(character: string): readonly [string, string] {
  const columns = character.length > 1 ? 3 : 2;
  const digits = hexadecimal(character, 2 * columns);
  return [digits.slice(0, columns), digits.slice(columns)];
}

function hexadecimal(character: string, digits: number): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(digits, "0");
}

/** A token's text; white space and characters without ink that are all of it are spelled out. */
export function spelledOut(text: string): string {
  if (/[^\s\p{Cf}\p{Cc}]/u.test(text)) return text.trim();
  const written = JSON.stringify(text).slice(1, -1).replaceAll(" ", "·");
  return written.replace(/[\s\p{Cf}\p{Cc}]/gu, (one) => `U+${hexadecimal(one, 4)}`);
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
