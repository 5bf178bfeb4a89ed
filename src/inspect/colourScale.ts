/**
 * Colours of heatmaps: one hue from light to dark for probabilities, linear or logarithmic, and two hues from white for
 * differences. Lightness falls evenly in OKLCH (Ottosson 2020), so that equal steps look equal, in grey too; blue and
 * orange stay apart for colour-blind readers.
 */
import { textWidth } from "./scene.ts";

export type ScaleKind = "linear" | "log" | "difference";

export interface ColourScale {
  readonly kind: ScaleKind;
  /** Values outside are drawn as the nearer end. */
  readonly low: number;
  readonly high: number;
  /** Colours from low to high, (LEVELS, 3). */
  readonly table: Uint8Array;
  /** Index of a value's colour. */
  level(value: number): number;
  /** Numbers of the legend, `at` from 0 (low) to 1 (high). */
  readonly ticks: readonly Tick[];
}

interface Tick {
  readonly at: number;
  readonly label: string;
}

export const LEVELS = 256;
/** A logarithmic scale spans so many powers of ten below its highest. */
const DECADES = 4;
/** Width of the narrower legend's bar, in sizes of its text: the pictures' (legend.ts); the page has 280 pixels at 11. */
const BAR_EMS = 220 / 9;
/** Least room between two labels, in the same unit. */
const BETWEEN = 0.4;
const [BLUE, ORANGE] = [255, 50];

/** @param high largest value that is to be told apart; where nothing is above 0, 1 */
export function valueScale(kind: "linear" | "log", high: number): ColourScale {
  const top = high > 0 ? high : 1;
  const table = tableOf((t) => oklch(0.985 - 0.7 * t, 0.15 * Math.sin(0.75 * Math.PI * t), BLUE));
  if (kind === "linear") {
    const place = (value: number): number => value / top;
    const ticks = readable([...niceTicks(0, top), top], place, numberLabel);
    return { kind, low: 0, high: top, table, level: (value) => levelOf(place(value)), ticks };
  }
  const exponent = Math.ceil(Math.log10(top) - 1e-9) - DECADES;
  const low = 10 ** exponent;
  const place = (value: number): number => Math.log(Math.max(value, low) / low) / Math.log(top / low);
  const powers = Array.from({ length: DECADES + 1 }, (_, i) => 10 ** (exponent + i)).filter((value) => value <= top);
  const label = (value: number): string => `${value === low ? "< " : ""}${numberLabel(value)}`;
  const ticks = readable([low, ...powers.slice(1), top], place, label);
  return { kind, low, high: top, table, level: (value) => levelOf(place(value)), ticks };
}

/** @param most largest size of a difference */
export function differenceScale(most: number): ColourScale {
  const top = most > 0 ? most : 1;
  const table = tableOf((t) => {
    const size = Math.abs(2 * t - 1);
    return oklch(0.985 - 0.6 * size, 0.15 * Math.sin(0.75 * Math.PI * size), t < 0.5 ? ORANGE : BLUE);
  });
  const place = (value: number): number => (value / top + 1) / 2;
  const label = (value: number): string => `${value > 0 ? "+" : ""}${numberLabel(value)}`;
  const ticks = readable([-top, ...niceTicks(-top, top), top], place, label);
  return { kind: "difference", low: -top, high: top, table, level: (value) => levelOf(place(value)), ticks };
}

/** Three significant digits, without needless zeros; U+2212 as minus. */
export function numberLabel(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return String(rounded).replace("-", "−");
}

function levelOf(place: number): number {
  return Math.min(LEVELS - 1, Math.max(0, Math.round(place * (LEVELS - 1))));
}

/**
 * Colours of many values, the same as by `level`. Loops that call nothing: a worker's first map is painted by code that the
 * browser has not compiled yet.
 * @returns (values, 4)
 */
export function paint({ kind, low, high, table }: ColourScale, values: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const inks = new Uint32Array(opaque(table).buffer);
  const pixels = new Uint32Array(values.length);
  const top = LEVELS - 1;
  if (kind === "log") {
    const perFactor = top / Math.log(high / low);
    const offset = 0.5 - Math.log(low) * perFactor;
    for (let i = 0; i < pixels.length; i++) {
      const value = values[i] ?? 0;
      const level = value > low ? Math.log(value) * perFactor + offset : 0;
      pixels[i] = inks[level < top ? level | 0 : top] ?? 0;
    }
  } else {
    const perUnit = top / (high - low);
    const offset = 0.5 - low * perUnit;
    for (let i = 0; i < pixels.length; i++) {
      const level = (values[i] ?? 0) * perUnit + offset;
      pixels[i] = inks[level < top ? (level > 0 ? level | 0 : 0) : top] ?? 0;
    }
  }
  return new Uint8ClampedArray(pixels.buffer);
}

/** @param rgb 3 bytes a colour @returns 4 bytes a colour, as a canvas takes them */
export function opaque(rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from] ?? 0;
    rgba[to + 1] = rgb[from + 1] ?? 0;
    rgba[to + 2] = rgb[from + 2] ?? 0;
    rgba[to + 3] = 255;
  }
  return rgba;
}

function tableOf(colour: (t: number) => readonly [number, number, number]): Uint8Array {
  return Uint8Array.from(Array.from({ length: LEVELS }, (_, i) => colour(i / (LEVELS - 1))).flat());
}

/** Round numbers between two, about four. */
function niceTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}

/**
 * Those of some values, from low to high, whose labels do not touch each other: both ends always, then those nearest to
 * the middle, so that a difference keeps its 0 and both sides the same numbers.
 */
function readable(
  values: readonly number[],
  place: (value: number) => number,
  labelOf: (value: number) => string,
): Tick[] {
  const ticks = values.map((value) => ({ at: place(value), label: labelOf(value) }));
  const [first, last] = [ticks[0], ticks.at(-1)];
  if (first === undefined || last === undefined) return [];
  const kept: Tick[] = [first, last];
  const inner = ticks.slice(1, -1).toSorted((a, b) => Math.abs(a.at - 0.5) - Math.abs(b.at - 0.5));
  for (const tick of inner) {
    const [left, right] = extent(tick);
    const free = kept.every((other) => {
      const [from, to] = extent(other);
      return right + BETWEEN <= from || to + BETWEEN <= left;
    });
    if (free) kept.push(tick);
  }
  return kept.toSorted((a, b) => a.at - b.at);
}

/** Where a label lies on the bar, in sizes of its text: those of the ends stay under the bar, others stand in the middle. */
function extent({ at, label }: Tick): readonly [number, number] {
  const width = textWidth(label, 1);
  const middle = at * BAR_EMS;
  if (at <= 0) return [0, width];
  if (at >= 1) return [BAR_EMS - width, BAR_EMS];
  return [middle - width / 2, middle + width / 2];
}

/** sRGB, 0…255, of a colour in OKLCH (hue in degrees); what sRGB lacks is cut off. */
function oklch(lightness: number, chroma: number, hue: number): [number, number, number] {
  const [a, b] = [chroma * Math.cos((hue * Math.PI) / 180), chroma * Math.sin((hue * Math.PI) / 180)];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    channel(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

function channel(linear: number): number {
  const value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}
