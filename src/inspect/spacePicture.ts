/** Entities in a plane as a picture: one panel an adapter on shared scales, a colour and a shape for each type. */
import { withCompared } from "./comparedFields.ts";
import { BACKGROUND, caption, INK, shortened } from "./legend.ts";
import { frame, type Scene, type SceneShape, textWidth } from "./scene.ts";
import { NEIGHBOURS, type SpaceFigure } from "./spaceFigure.ts";

const MARGIN = 16;
const PANEL = 320;
const GAP = 20;
const INSIDE = 14;
const SIZE = 10;
const ACROSS = 3;

// The types' colours on a light page (ui/styles/base.css), after Okabe and Ito.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#a8558b", "#b08900", "#2b9bd0", "#6a51a3", "#6b6b6b"] as const;
const MARKS = ["circle", "square", "triangle", "diamond", "star", "pentagon", "cross", "down"] as const;

export function spacePicture(figure: SpaceFigure): Scene {
  const { adapters, types, spans } = figure;
  const across = Math.min(adapters.length, ACROSS);
  const rows = Math.ceil(adapters.length / across);
  const width = 2 * MARGIN + across * PANEL + (across - 1) * GAP;
  const place = placing(adapters.flatMap(({ positions }) => [...positions]));
  const radius = spans.length <= 300 ? 4 : spans.length <= 1200 ? 3 : 2.2;
  const marks = spans.map(({ type }) => types.indexOf(type));
  const shapes: SceneShape[] = [];
  adapters.forEach(({ name, positions, scores }, index) => {
    const x = MARGIN + (index % across) * (PANEL + GAP);
    const y = MARGIN + 34 + Math.floor(index / across) * (PANEL + 60);
    const title = adapters.length === 1 ? name : `(${"abcdefgh".charAt(index)}) ${name}`;
    const { euclidean, cosine } = scores.silhouette;
    const below = `silhouette ${number(cosine)} cosine, ${number(euclidean)} euclidean`;
    shapes.push(
      ...[text(x, y - 20, shortened(title, 12, PANEL), 12, INK.text, true), text(x, y - 6, below, SIZE, INK.quiet)],
      ...frame(x, y, PANEL, PANEL, INK.line, 1),
      ...marks.map((type, i) => {
        const [px, py] = place(positions[2 * i] ?? NaN, positions[2 * i + 1] ?? NaN);
        return typeMark(type, x + px, y + py, radius, 0.85);
      }),
    );
  });
  let bottom = MARGIN + 34 + (rows - 1) * (PANEL + 60) + PANEL + 12;
  const counts = types.map((_, type) => marks.filter((mark) => mark === type).length);
  let left = MARGIN;
  types.forEach((type, index) => {
    const label = `${shortened(type, SIZE, 200)} (${counts[index]})`;
    const step = textWidth(label, SIZE) + 30;
    if (left > MARGIN && left + step > width - MARGIN) {
      [left, bottom] = [MARGIN, bottom + 16];
    }
    shapes.push(typeMark(index, left + 5, bottom + 5, 4, 1), text(left + 14, bottom + 9, label, SIZE, INK.text));
    left += step;
  });
  const words = captionOf(figure);
  const under = caption(words, MARGIN, bottom + 18, width - 2 * MARGIN);
  shapes.push(...under.shapes);
  return {
    ...{ width, height: under.bottom + MARGIN, background: BACKGROUND, shapes },
    description: words,
  };
}

/** What the picture shows and how it was made, as a figure's caption says it. */
export function captionOf(figure: SpaceFigure): string {
  const { model, layer, representation, layout, adapters, spans, found } = figure;
  const what =
    representation === "key"
      ? `entity keys e^K of layer ${layer} (k_proj before RoPE, mean over tokens and heads)`
      : `hidden states after layer ${layer} (mean over tokens)`;
  const drawn = found > spans.length ? `, a sample of ${found}` : "";
  const names = adapters.map(({ name }) => name).join(", ");
  const how =
    layout.method === "tsne"
      ? `t-SNE, perplexity ${layout.settings.perplexity}, ${layout.iterations} iterations, ${layout.start === "pca" ? "PCA start" : `random start (seed ${layout.seed})`}, KL divergence ${layout.klDivergence.toFixed(3)}`
      : `PCA, ${layout.explained.map((share) => `${(100 * share).toFixed(1)} %`).join(" and ")} of the variance`;
  const joint = adapters.length > 1 ? " (fitted jointly)" : "";
  const scores = adapters
    .map(({ name, scores: { purity, trustworthiness } }) => {
      const which = adapters.length > 1 ? `${name} ` : "";
      return `${which}purity ${number(purity)}, trustworthiness ${number(trustworthiness)}`;
    })
    .join("; ");
  const words = `${model}; ${names}: ${spans.length} ${what}${drawn}. ${how}${joint}. At ${NEIGHBOURS} neighbours: ${scores}.`;
  return withCompared(words, figure.compared);
}

function number(value: number | null): string {
  return value === null ? "–" : value.toFixed(3).replace("-", "−");
}

function text(x: number, y: number, content: string, size: number, fill: string, strong = false): SceneShape {
  return { kind: "text", x, y, text: content, size, fill, strong };
}

/** One scale for both axes and all panels; y grows upwards as in any plot. */
function placing(coordinates: readonly number[]): (x: number, y: number) => [number, number] {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < coordinates.length; i += 2) {
    const [x = NaN, y = NaN] = [coordinates[i], coordinates[i + 1]];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [low, high] = [Math.min(low, y), Math.max(high, y)];
  }
  const span = Math.max(right - left, high - low) || 1;
  const scale = (PANEL - 2 * INSIDE) / span;
  const [middleX, middleY] = [(left + right) / 2, (low + high) / 2];
  return (x, y) => [PANEL / 2 + (x - middleX) * scale, PANEL / 2 - (y - middleY) * scale];
}

/** A type's mark, of about the same area in every shape. Beyond eight types colour and shape make new pairs. */
function typeMark(type: number, x: number, y: number, radius: number, opacity: number): SceneShape {
  const shape = MARKS[type % MARKS.length] ?? "circle";
  const fill = COLOURS[(type + 3 * Math.floor(type / MARKS.length)) % COLOURS.length] ?? INK.text;
  if (shape === "circle") {
    return { kind: "circle", x, y, radius: 0.95 * radius, fill, opacity };
  }
  const points = OUTLINES[shape].map((value, i) => (i % 2 === 0 ? x : y) + value * radius);
  return { kind: "polygon", points, fill, opacity };
}

const OUTLINES: Readonly<Record<Exclude<(typeof MARKS)[number], "circle">, readonly number[]>> = {
  square: [-0.84, -0.84, 0.84, -0.84, 0.84, 0.84, -0.84, 0.84],
  triangle: [0, -1.2, 1.12, 0.78, -1.12, 0.78],
  diamond: [0, -1.2, 1.2, 0, 0, 1.2, -1.2, 0],
  star: ring(10, (i) => (i % 2 === 0 ? 1.4 : 0.6)),
  pentagon: ring(5, () => 1.08),
  cross: [
    ...[-0.4, -1.15, 0.4, -1.15, 0.4, -0.4, 1.15, -0.4, 1.15, 0.4, 0.4, 0.4],
    ...[0.4, 1.15, -0.4, 1.15, -0.4, 0.4, -1.15, 0.4, -1.15, -0.4, -0.4, -0.4],
  ],
  down: [0, 1.2, 1.12, -0.78, -1.12, -0.78],
};

/** Corners on a circle, the first on top. */
function ring(corners: number, radius: (i: number) => number): number[] {
  return Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    return [radius(i) * Math.sin(angle), -radius(i) * Math.cos(angle)];
  }).flat();
}
