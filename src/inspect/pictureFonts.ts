/**
 * The font of PNG pictures: Inter (SIL Open Font License 1.1), regular and semibold, Latin, Greek and Cyrillic. It comes
 * with the program, because a browser's and a machine's own fonts differ and the same picture must come out everywhere.
 */
import cyrillic from "@fontsource/inter/files/inter-cyrillic-400-normal.woff?bytes";
import cyrillicStrong from "@fontsource/inter/files/inter-cyrillic-600-normal.woff?bytes";
import greek from "@fontsource/inter/files/inter-greek-400-normal.woff?bytes";
import greekStrong from "@fontsource/inter/files/inter-greek-600-normal.woff?bytes";
import latinExtended from "@fontsource/inter/files/inter-latin-ext-400-normal.woff?bytes";
import latinExtendedStrong from "@fontsource/inter/files/inter-latin-ext-600-normal.woff?bytes";
import latin from "@fontsource/inter/files/inter-latin-400-normal.woff?bytes";
import latinStrong from "@fontsource/inter/files/inter-latin-600-normal.woff?bytes";
import { type Font, parse } from "opentype.js";
import { BOX_AROUND, BOX_COLUMN, boxEms, boxRows, type TextShape } from "./scene.ts";

/** Parts of a quadratic or cubic curve; at text sizes finer parts change no pixel. */
const CURVE_STEPS = 6;

type Face = readonly Font[];

let faces: { regular: Face; strong: Face } | null = null;

function face(strong: boolean): Face {
  const open = (files: readonly Uint8Array[]): Face => files.map((bytes) => parse(new Uint8Array(bytes).buffer));
  faces ??= {
    regular: open([latin, latinExtended, greek, cyrillic]),
    strong: open([latinStrong, latinExtendedStrong, greekStrong, cyrillicStrong]),
  };
  return strong ? faces.strong : faces.regular;
}

/** Zero-width and control characters have no glyph, or that of another. */
const UNSEEN = /[\p{Cf}\p{Cc}]/u;

/**
 * Outlines of a text in the scene's coordinates. A character that the font lacks, or that has no ink, is a small box with
 * its code point in hexadecimal, so that no two look alike; of a sequence (an emoji with a joiner) each has its own.
 * Characters stand one after the other by their advances, without kerning or ligatures.
 */
export function textOutlines({
  x,
  y,
  text,
  size,
  strong = false,
  anchor = "start",
  rotate = 0,
}: TextShape): number[][] {
  const fonts = face(strong);
  const outlines: number[][] = [];
  let pen = 0;
  // Composed where there is such a character: an accent by itself would stand beside its letter.
  for (const character of text.normalize("NFC").replace(/\s/gu, " ")) {
    const font = fonts.find((candidate) => candidate.charToGlyphIndex(character) > 0);
    const drawn = font === undefined || UNSEEN.test(character) ? [] : glyphOf(font, character, pen, size);
    if (font === undefined || (drawn.length === 0 && character !== " ")) {
      outlines.push(...codeBox(fonts, character, pen, size));
      pen += boxEms(character) * size;
    } else {
      outlines.push(...drawn);
      pen += advance(font, character, size);
    }
  }
  const shift = anchor === "start" ? 0 : anchor === "middle" ? -pen / 2 : -pen;
  const [cos, sin] = rotation(rotate);
  for (const points of outlines) {
    for (let i = 0; i < points.length; i += 2) {
      const [px, py] = [(points[i] ?? 0) + shift, points[i + 1] ?? 0];
      points[i] = x + px * cos - py * sin;
      points[i + 1] = y + px * sin + py * cos;
    }
  }
  return outlines;
}

function glyphOf(font: Font, character: string, x: number, size: number, y = 0): number[][] {
  return flatten(font.charToGlyph(character).getPath(x, y, size).commands);
}

function advance(font: Font, character: string, size: number): number {
  return ((font.charToGlyph(character).advanceWidth ?? 0) * size) / font.unitsPerEm;
}

/** Of a box, parts of the text's size: from above the line to below it, its line, its digits and their two lines. */
const BOX = { top: -0.86, bottom: 0.14, line: 0.05, digit: 0.5, rows: [-0.4, 0.055] } as const;

/** A frame around two rows of digits. @param pen left end of the room that it has */
function codeBox(fonts: Face, character: string, pen: number, size: number): number[][] {
  const [left, right] = [pen + 0.07 * size, pen + (boxEms(character) - 0.07) * size];
  const [top, bottom, line] = [BOX.top * size, BOX.bottom * size, BOX.line * size];
  const outlines = [
    [left, top, right, top, right, bottom, left, bottom],
    // The other way round: a hole.
    [left + line, top + line, left + line, bottom - line, right - line, bottom - line, right - line, top + line],
  ];
  const [digits] = fonts;
  if (digits === undefined) return outlines;
  boxRows(character).forEach((row, r) => {
    Array.from(row).forEach((digit, column) => {
      const middle = pen + (BOX_AROUND / 2 + (column + 0.5) * BOX_COLUMN) * size;
      const x = middle - advance(digits, digit, BOX.digit * size) / 2;
      outlines.push(...glyphOf(digits, digit, x, BOX.digit * size, (BOX.rows[r] ?? 0) * size));
    });
  });
  return outlines;
}

/** Exact for quarter turns. */
function rotation(degrees: number): readonly [cos: number, sin: number] {
  const quarters = degrees / 90;
  if (Number.isInteger(quarters)) {
    const turn = ((quarters % 4) + 4) % 4;
    return [[1, 0] as const, [0, 1] as const, [-1, 0] as const, [0, -1] as const][turn] ?? [1, 0];
  }
  const angle = (degrees * Math.PI) / 180;
  return [Math.cos(angle), Math.sin(angle)];
}

type Commands = ReturnType<ReturnType<Font["charToGlyph"]>["getPath"]>["commands"];

function flatten(commands: Commands): number[][] {
  const outlines: number[][] = [];
  let points: number[] = [];
  for (const command of commands) {
    const [x0 = 0, y0 = 0] = points.slice(-2);
    switch (command.type) {
      case "M":
        points = [command.x, command.y];
        outlines.push(points);
        break;
      case "L":
        points.push(command.x, command.y);
        break;
      case "Q":
        for (let i = 1; i <= CURVE_STEPS; i++) {
          const t = i / CURVE_STEPS;
          const [a, b, c] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
          points.push(a * x0 + b * command.x1 + c * command.x, a * y0 + b * command.y1 + c * command.y);
        }
        break;
      case "C":
        for (let i = 1; i <= CURVE_STEPS; i++) {
          const t = i / CURVE_STEPS;
          const [a, b] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2];
          const [c, d] = [3 * t * t * (1 - t), t ** 3];
          points.push(
            a * x0 + b * command.x1 + c * command.x2 + d * command.x,
            a * y0 + b * command.y1 + c * command.y2 + d * command.y,
          );
        }
        break;
      case "Z":
        break; // outlines are closed by themselves
    }
  }
  return outlines;
}
