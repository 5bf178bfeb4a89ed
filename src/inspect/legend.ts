/** What the attention pictures share: colours of ink, a colour bar with numbers, marks of tokens, a caption. */
import { type ColourScale, LEVELS } from "./colourScale.ts";
import { breakLines, frame, type SceneShape, textWidth } from "./scene.ts";

export const INK = { text: "#1b1b1b", quiet: "#5f5f5f", line: "#bdbdbd", entity: "#0b6e4f", type: "#8a3ffc" } as const;
export const BACKGROUND = "#ffffff";
const BAR = { width: 220, height: 10 } as const;
const SIZE = 10;

/** @returns shapes in a box whose top left corner is (x, y), 36 high */
export function colourBar(scale: ColourScale, title: string, x: number, y: number): SceneShape[] {
  const { table } = scale;
  return [
    { kind: "text", x, y: y + 8, text: title, size: SIZE, fill: INK.text },
    { kind: "cells", x, y: y + 13, ...BAR, columns: LEVELS, rows: 1, rgb: table },
    ...frame(x, y + 13, BAR.width, BAR.height, INK.line, 0.5),
    ...scale.ticks.flatMap(({ at, label }): SceneShape[] => {
      // Numbers of the ends stay under the bar.
      const anchor = at === 0 ? "start" : at === 1 ? "end" : "middle";
      const left = x + at * BAR.width;
      return [
        { kind: "line", x1: left, y1: y + 23, x2: left, y2: y + 26, stroke: INK.quiet, width: 0.7 },
        { kind: "text", x: left, y: y + 35, text: label, size: 9, fill: INK.quiet, anchor },
      ];
    }),
  ];
}

export const BAR_WIDTH = BAR.width;

/** Told apart by shape as well as colour: a triangle for entities, a diamond for the type's name. */
export function mark(role: "entity" | "type", x: number, y: number, size = 3): SceneShape {
  const points =
    role === "entity"
      ? [x - size, y - size, x + size, y - size, x, y + size]
      : [x, y - size, x + size, y, x, y + size, x - size, y];
  return { kind: "polygon", points, fill: INK[role] };
}

const MARKS = [
  ["entity", "entity, in the sentence or the response"],
  ["type", "the type's name"],
] as const;
export const MARKS_WIDTH = MARKS.reduce((sum, [, label]) => sum + textWidth(label, SIZE) + 32, 0);

/** The marks with their meaning, in one line that begins at (x, y), the baseline. */
export function markLegend(x: number, y: number): SceneShape[] {
  const shapes: SceneShape[] = [];
  let left = x;
  for (const [role, label] of MARKS) {
    shapes.push(mark(role, left + 4, y - 3, 3.5));
    shapes.push({ kind: "text", x: left + 12, y, text: label, size: SIZE, fill: INK.quiet });
    left += textWidth(label, SIZE) + 32;
  }
  return shapes;
}

/** The caption in lines of at most `width`, the first baseline at y + 12; `bottom` is where it ends. */
export function caption(text: string, x: number, y: number, width: number): { shapes: SceneShape[]; bottom: number } {
  const lines = breakLines(text, SIZE, width);
  return {
    shapes: lines.map((line, i) => ({
      ...({ kind: "text", x, y: y + 12 + 14 * i, text: line, size: SIZE, fill: INK.text } as const),
    })),
    bottom: y + 14 * lines.length + 4,
  };
}

/** A text cut to a width, with an ellipsis where something is missing. */
export function shortened(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) {
    return text;
  }
  const characters = Array.from(text);
  while (characters.length > 0 && textWidth(`${characters.join("")}…`, size) > width) {
    characters.pop();
  }
  return `${characters.join("")}…`;
}
