/**
 * Fills outlines on a grid of pixels with exact area coverage: every edge adds the signed area to its right to the
 * pixels that it crosses, and a running sum along each row gives what of a pixel is covered (the accumulation buffer
 * of Raph Levien's font-rs, here after its description). Plain arithmetic, so that the same outline gives the same
 * pixels everywhere.
 */

/** Closed outlines in pixels; each is x, y, x, y … Holes run the other way round. */
export type Outlines = readonly (readonly number[])[];

export class Raster {
  readonly width: number;
  readonly height: number;
  /** (height, width, 3) */
  readonly rgb: Uint8Array;

  constructor(width: number, height: number, background: string) {
    this.width = width;
    this.height = height;
    this.rgb = new Uint8Array(width * height * 3);
    const color = channels(background);
    for (let at = 0; at < this.rgb.length; at += 3) {
      this.rgb.set(color, at);
    }
  }

  fill(outlines: Outlines, color: string, opacity = 1): void {
    const [left, top, right, bottom] = bounds(outlines, this.width, this.height);
    const [width, height] = [right - left, bottom - top];
    if (width <= 0 || height <= 0) {
      return;
    }
    // Edges left of the picture count on its first column, those right of it not at all: two columns to spare.
    const stride = width + 2;
    const cover = new Float64Array(stride * height);
    for (const points of outlines) {
      for (let i = 0; i < points.length; i += 2) {
        const j = (i + 2) % points.length;
        const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = [points[i], points[i + 1], points[j], points[j + 1]];
        addEdge(cover, stride, height, width, x0 - left, y0 - top, x1 - left, y1 - top);
      }
    }
    const [red, green, blue] = channels(color);
    for (let y = 0; y < height; y++) {
      let sum = 0;
      for (let x = 0; x < width; x++) {
        sum += cover[y * stride + x] ?? 0;
        const alpha = Math.min(1, Math.abs(sum)) * opacity;
        if (alpha > 1e-9) {
          this.#blend((top + y) * this.width + left + x, red, green, blue, alpha);
        }
      }
    }
  }

  /** Sets whole pixels, for a heatmap's cells: from [x0, x1) and [y0, y1), cut to the picture. */
  set(x0: number, y0: number, x1: number, y1: number, rgb: Uint8Array): void {
    for (let y = Math.max(0, y0); y < Math.min(this.height, y1); y++) {
      for (let x = Math.max(0, x0); x < Math.min(this.width, x1); x++) {
        this.rgb.set(rgb, (y * this.width + x) * 3);
      }
    }
  }

  #blend(pixel: number, red: number, green: number, blue: number, alpha: number): void {
    const at = pixel * 3;
    const { rgb } = this;
    rgb[at] = mix(rgb[at] ?? 0, red, alpha);
    rgb[at + 1] = mix(rgb[at + 1] ?? 0, green, alpha);
    rgb[at + 2] = mix(rgb[at + 2] ?? 0, blue, alpha);
  }
}

function mix(under: number, over: number, alpha: number): number {
  return Math.round(under + (over - under) * alpha);
}

/** @throws Error where a colour is not "#rrggbb" */
function channels(color: string): [number, number, number] {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/iu.exec(color);
  if (match === null) {
    throw new Error(`expected a colour as #rrggbb, got ${color}`);
  }
  return [parseInt(match[1] ?? "", 16), parseInt(match[2] ?? "", 16), parseInt(match[3] ?? "", 16)];
}

/** Whole pixels around the outlines, inside the picture. */
function bounds(outlines: Outlines, width: number, height: number): [number, number, number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const points of outlines) {
    for (let i = 0; i < points.length; i += 2) {
      const [x = 0, y = 0] = [points[i], points[i + 1]];
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  return [
    Math.max(0, Math.floor(left)),
    Math.max(0, Math.floor(top)),
    Math.min(width, Math.ceil(right)),
    Math.min(height, Math.ceil(bottom)),
  ];
}

/** Adds one edge row by row, and in each row pixel by pixel. */
function addEdge(
  cover: Float64Array,
  stride: number,
  height: number,
  width: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  if (y0 === y1) {
    return;
  }
  const sign = y0 < y1 ? 1 : -1;
  if (sign < 0) {
    [x0, y0, x1, y1] = [x1, y1, x0, y0];
  }
  const slope = (x1 - x0) / (y1 - y0);
  const clamp = (x: number): number => Math.min(width, Math.max(0, x));
  const last = Math.min(height, Math.ceil(y1));
  for (let y = Math.max(0, Math.floor(y0)); y < last; y++) {
    const [from, to] = [Math.max(y, y0), Math.min(y + 1, y1)];
    const high = (to - from) * sign;
    // Clamping both ends moves what lies outside onto the border: right of it the sum no longer changes.
    const a = clamp(x0 + (from - y0) * slope);
    const b = clamp(x0 + (to - y0) * slope);
    const [low, top] = a < b ? [a, b] : [b, a];
    const [first, end] = [Math.floor(low), Math.ceil(top)];
    const at = y * stride;
    if (end <= first + 1) {
      // Within one pixel: its share is what lies right of the edge's middle.
      const share = high * (first + 1 - (low + top) / 2);
      cover[at + first] = (cover[at + first] ?? 0) + share;
      cover[at + first + 1] = (cover[at + first + 1] ?? 0) + high - share;
      continue;
    }
    // Across several: the covered area right of the edge, up to each pixel's right side, grows as a trapezium.
    const perPixel = high / (top - low);
    let before = 0;
    for (let x = first; x < end; x++) {
      const [enter, leave] = [Math.max(x, low), Math.min(x + 1, top)];
      const covered = perPixel * ((leave - enter) * (x + 1 - (enter + leave) / 2) + (enter - low));
      cover[at + x] = (cover[at + x] ?? 0) + covered - before;
      before = covered;
    }
    cover[at + end] = (cover[at + end] ?? 0) + high - before;
  }
}
