// The picture of obp bench scaling: time and memory of a step against what grows, on logarithmic axes, with the slope
// that the counted multiply-adds and the plan of memory expect beside each.
import type { Scene, SceneShape } from "../inspect/scene.ts";
import { quantity } from "./progress.ts";

/** One thing that grows. */
export interface ScalingSeries {
  readonly title: string;
  readonly values: readonly number[];
  readonly seconds: readonly number[];
  readonly bytes: readonly number[];
  /** Multiply-adds of the step at each value. */
  readonly work: readonly number[];
  /** Bytes that the plan of memory reckons at each value. */
  readonly planned: readonly number[];
}

const PANEL = { width: 300, height: 220, left: 62, right: 14, top: 34, bottom: 44 };
const HEADER = 62;
const INK = "#1f2430";
const FAINT = "#d9dde5";
const GREY = "#667085";
const MEASURED = "#2456c4";
const EXPECTED = "#c4622d";

export function scalingScene(adapter: string, series: readonly ScalingSeries[]): Scene {
  const shapes: SceneShape[] = [
    label(16, 24, "A training step against what grows", 15, INK, { strong: true }),
    label(
      16,
      44,
      `${adapter}. Both axes logarithmic; numbers are slopes of the straight line through all points.`,
      11,
      GREY,
    ),
  ];
  series.forEach(({ title, values, seconds, bytes, work, planned }, column) => {
    const x = column * PANEL.width;
    const time = { title: "seconds of a step", measured: seconds, expected: fittedTo(seconds, work), text: seconds3 };
    const memory = {
      ...{ title: "GPU memory", measured: bytes, expected: planned },
      text: (value: number) => `${quantity(value)}B`,
    };
    [time, memory].forEach((curve, row) => {
      shapes.push(...panel(x, HEADER + row * PANEL.height, title, values, curve));
    });
  });
  return {
    width: series.length * PANEL.width,
    height: HEADER + 2 * PANEL.height,
    background: "#ffffff",
    description: `Time and GPU memory of a training step against ${series.map(({ title }) => title).join(", ")}`,
    shapes,
  };
}

interface Curve {
  readonly title: string;
  readonly measured: readonly number[];
  readonly expected: readonly number[];
  readonly text: (value: number) => string;
}

function panel(left: number, top: number, axis: string, values: readonly number[], curve: Curve): SceneShape[] {
  const [x0, x1] = [left + PANEL.left, left + PANEL.width - PANEL.right];
  const [y0, y1] = [top + PANEL.height - PANEL.bottom, top + PANEL.top];
  const all = [...curve.measured, ...curve.expected];
  // At least a factor of four from bottom to top, or a flat curve would show its noise alone.
  const middle = Math.sqrt(Math.min(...all) * Math.max(...all));
  const [low, high] = [Math.min(Math.min(...all) / 1.15, middle / 2), Math.max(Math.max(...all) * 1.15, middle * 2)];
  const xOf = (value: number) => x0 + ((x1 - x0) * Math.log(value / (values[0] ?? 1))) / spanOf(values);
  const yOf = (value: number) => y0 + ((y1 - y0) * Math.log(value / low)) / Math.log(high / low);
  const shapes: SceneShape[] = [label(left + PANEL.left, top + 12, curve.title, 12, INK, { strong: true })];
  for (const value of ticks(low, high)) {
    shapes.push(line(x0, yOf(value), x1, yOf(value), FAINT, 1));
    shapes.push(label(x0 - 6, yOf(value) + 4, curve.text(value), 10.5, GREY, { anchor: "end" }));
  }
  for (const value of values) {
    shapes.push(line(xOf(value), y0, xOf(value), y0 + 4, GREY, 1));
    shapes.push(label(xOf(value), y0 + 16, String(value), 10.5, GREY, { anchor: "middle" }));
  }
  shapes.push(line(x0, y0, x1, y0, GREY, 1), line(x0, y0, x0, y1, GREY, 1));
  shapes.push(label((x0 + x1) / 2, y0 + 33, axis, 11, INK, { anchor: "middle" }));
  const slope = (of: readonly number[]) => slopeOf(values, of).toFixed(2);
  const draw = (points: readonly number[], colour: string, width: number) => {
    points.slice(1).forEach((value, i) => {
      const [from, to] = [values[i] ?? 1, values[i + 1] ?? 1];
      shapes.push(line(xOf(from), yOf(points[i] ?? NaN), xOf(to), yOf(value), colour, width));
    });
  };
  draw(curve.expected, EXPECTED, 1.25);
  draw(curve.measured, MEASURED, 2);
  curve.measured.forEach((value, i) =>
    shapes.push({ kind: "circle", x: xOf(values[i] ?? 1), y: yOf(value), radius: 3, fill: MEASURED }),
  );
  shapes.push(label(x0, top + 27, `measured, ${slope(curve.measured)}`, 10.5, MEASURED));
  shapes.push(label(x1, top + 27, `expected, ${slope(curve.expected)}`, 10.5, EXPECTED, { anchor: "end" }));
  return shapes;
}

/** `work` in the measured unit: as much in all, in logarithms. */
function fittedTo(measured: readonly number[], work: readonly number[]): number[] {
  const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + Math.log(value), 0) / of.length;
  const factor = Math.exp(mean(measured) - mean(work));
  return work.map((value) => value * factor);
}

/** Least squares through the logarithms. */
export function slopeOf(values: readonly number[], measured: readonly number[]): number {
  const [xs, ys] = [values.map(Math.log), measured.map(Math.log)];
  const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0) / of.length;
  const [x, y] = [mean(xs), mean(ys)];
  const products = xs.reduce((sum, each, i) => sum + (each - x) * ((ys[i] ?? NaN) - y), 0);
  return products / xs.reduce((sum, each) => sum + (each - x) ** 2, 0);
}

function spanOf(values: readonly number[]): number {
  return Math.log((values.at(-1) ?? 1) / (values[0] ?? 1));
}

/** 1, 2 and 5 times powers of ten within the range. */
function ticks(low: number, high: number): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const digit of [1, 2, 5]) {
      const value = digit * 10 ** power;
      if (value >= low && value <= high) found.push(value);
    }
  }
  return found;
}

function seconds3(value: number): string {
  return value < 0.1 ? `${+(1000 * value).toPrecision(3)} ms` : `${+value.toPrecision(3)} s`;
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string, width: number): SceneShape {
  return { kind: "line", x1, y1, x2, y2, stroke, width };
}

function label(
  x: number,
  y: number,
  text: string,
  size: number,
  fill: string,
  more: { readonly strong?: boolean; readonly anchor?: "middle" | "end" } = {},
): SceneShape {
  return { kind: "text", x, y, text, size, fill, ...more };
}
