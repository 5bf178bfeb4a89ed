/**
 * What the contrastive loss sees of a prompt as a picture: for each gold entity an axis of cosines with the type, a line a
 * state, with the entity as a triangle and the tokens beside it as rings; below, the terms of the loss.
 */
import { comparedJson, withCompared } from "./comparedFields.ts";
import { cosinesCsv, type CosinesFigure } from "./cosinesFigure.ts";
import type { Figure } from "./figureFile.ts";
import { BACKGROUND, caption, INK, mark, shortened } from "./legend.ts";
import { type Scene, type SceneShape, spelledOut } from "./scene.ts";

const MARGIN = 16;
const SIZE = 10;
/** Names of states, and the axis. */
const NAME = 150;
const AXIS = 300;
/** Columns of numbers: the entity, and the tokens left and right of it. */
const NUMBERS = [56, 150, 150] as const;
const LINE = 18;

export function cosinesDrawing(figure: CosinesFigure): Figure {
  const { compared, ...data } = figure;
  return {
    json: () => ({ ...data, ...comparedJson(compared) }),
    csv: () => cosinesCsv(figure),
    scene: () => cosinesPicture(figure),
  };
}

export function cosinesPicture(figure: CosinesFigure): Scene {
  const { states, type, layer, model, weight } = figure;
  const [first] = states;
  if (first === undefined) throw new Error("expected one state at least, got none");
  const shapes: SceneShape[] = [];
  const [left, numbers] = [MARGIN + NAME, MARGIN + NAME + AXIS + 20];
  const xOf = (cosine: number): number => left + ((cosine + 1) / 2) * AXIS;
  const write = (x: number, y: number, text: string, options: Partial<SceneShape> = {}): void => {
    shapes.push({ kind: "text", x, y, text, size: SIZE, fill: INK.text, ...options } as SceneShape);
  };
  let y = MARGIN + 10;
  ["cos", "left of it", "right of it"].forEach((title, i) => write(numbers + before(i), y, title, { fill: INK.quiet }));
  y += 14;
  const top = y;
  first.entities.forEach(({ text }, at) => {
    write(MARGIN, y + 12, shortened(spelledOut(text), 11, 0.7 * (NAME + AXIS)), { size: 11, strong: true });
    y += 20;
    for (const state of states) {
      const entity = state.entities[at];
      const middle = y + LINE / 2;
      write(MARGIN, middle + 3.5, shortened(state.name, SIZE, NAME - 12), { fill: INK.quiet });
      shapes.push({ kind: "line", x1: left, y1: middle, x2: left + AXIS, y2: middle, stroke: INK.line, width: 0.6 });
      if (entity !== undefined) {
        for (const side of [entity.left, entity.right])
          if (side !== null) shapes.push(...ring(xOf(side.cosine), middle));
        shapes.push(mark("entity", xOf(entity.cosine), middle, 4.5));
        write(numbers, middle + 3.5, number(entity.cosine), { strong: true, fill: INK.entity });
        [entity.left, entity.right].forEach((side, i) => {
          const said = side === null ? "–" : `${number(side.cosine)}  ${spelledOut(side.token)}`;
          write(numbers + before(i + 1), middle + 3.5, shortened(said, SIZE, (NUMBERS[i + 1] ?? 0) - 10));
        });
      }
      y += LINE;
    }
    y += 6;
  });
  for (const tick of [-1, -0.5, 0, 0.5, 1]) {
    const x = xOf(tick);
    shapes.unshift({ kind: "line", x1: x, y1: top, x2: x, y2: y, stroke: "#e4e4e4", width: 1 });
    write(x, y + 12, `${tick}`.replace("-", "−"), { size: 9, fill: INK.quiet, anchor: "middle" });
  }
  y += 34;
  shapes.push(mark("entity", MARGIN + 4, y - 3, 4.5));
  write(MARGIN + 14, y, "entity", { fill: INK.quiet });
  shapes.push(...ring(MARGIN + 66, y - 3.5));
  write(MARGIN + 76, y, "the tokens beside it", { fill: INK.quiet });
  y += 20;
  for (const { name, loss, sftLoss, contrastiveLoss } of states) {
    const terms = `cross-entropy ${sftLoss.toFixed(4)} + ${weight} × contrastive ${contrastiveLoss.toFixed(4)} = ${loss.toFixed(4)}`;
    write(MARGIN, y, shortened(name, SIZE, NAME - 12), { fill: INK.quiet });
    write(left, y, terms);
    y += 15;
  }
  const width = numbers + before(NUMBERS.length) + MARGIN;
  const said = [
    `Cosine of the type ${type} (e^Q) with each gold entity and with the tokens beside it (e^K), before RoPE, and the terms of the loss.`,
    `Model ${model}, layer ${layer}, mean over heads. Adapter${states.length > 1 ? "s" : ""}: ${states.map(({ name }) => name).join(", ")}.`,
  ].join(" ");
  const words = withCompared(said, figure.compared);
  const text = caption(words, MARGIN, y, width - 2 * MARGIN);
  shapes.push(...text.shapes);
  return { width, height: text.bottom + MARGIN, background: BACKGROUND, description: words, shapes };
}

/** Where a column of numbers begins. */
function before(column: number): number {
  return NUMBERS.slice(0, column).reduce((sum, width) => sum + width, 0);
}

function ring(x: number, y: number): SceneShape[] {
  return [
    { kind: "circle", x, y, radius: 4, fill: INK.text },
    { kind: "circle", x, y, radius: 2.6, fill: BACKGROUND },
  ];
}

function number(cosine: number): string {
  return cosine.toFixed(3).replace("-", "−");
}
