// Draws points of a plane, each with the colour and shape of its group, on the scale that all states share.

import type { SpacePoint } from "../../worker/protocol.ts";
import type { SpanInHand } from "../inspect/inspectView.ts";
import type { PointMarks } from "./pointMarks.ts";

const INSIDE = 14;

/** From positions to pixels of a square panel; one scale for both axes and all states, y grows upwards. */
export interface PlaneScale {
  middleX: number;
  middleY: number;
  perUnit: number;
  side: number;
}

/** @param side of the panel, CSS pixels */
export function planeScale(positions: readonly Float32Array[], side: number): PlaneScale {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const of of positions) {
    for (let i = 0; i < of.length; i += 2) {
      const [x, y] = [of[i] ?? NaN, of[i + 1] ?? NaN];
      left = Math.min(left, x);
      right = Math.max(right, x);
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
  }
  const span = Math.max(right - left, high - low);
  const perUnit = (side - 2 * INSIDE) / (span > 0 ? span : 1);
  return { middleX: (left + right) / 2, middleY: (low + high) / 2, perUnit, side };
}

export function placeOf(scale: PlaneScale, positions: Float32Array, index: number): [number, number] {
  const { middleX, middleY, perUnit, side } = scale;
  const [x, y] = [positions[2 * index] ?? NaN, positions[2 * index + 1] ?? NaN];
  return [side / 2 + (x - middleX) * perUnit, side / 2 - (y - middleY) * perUnit];
}

/** The point nearest to a place within reach; null where there is none. */
export function nearestPoint(scale: PlaneScale, positions: Float32Array, x: number, y: number): number | null {
  const { middleX, middleY, perUnit, side } = scale;
  // The place in the plane's own units: nothing is made for each point while the pointer moves.
  const [planeX, planeY] = [middleX + (x - side / 2) / perUnit, middleY - (y - side / 2) / perUnit];
  let found: number | null = null;
  let least = (12 / perUnit) ** 2;
  for (let index = 0; 2 * index < positions.length; index++) {
    const square = ((positions[2 * index] ?? NaN) - planeX) ** 2 + ((positions[2 * index + 1] ?? NaN) - planeY) ** 2;
    if (square < least) [found, least] = [index, square];
  }
  return found;
}

export interface PointScene {
  points: readonly SpacePoint[];
  marks: PointMarks;
  positions: Float32Array;
  scale: PlaneScale;
  /** Where there are any, the others are faint. */
  selected: ReadonlySet<number>;
  ratio: number;
}

export interface ScatterScene extends PointScene {
  /** Index of the point in hand. */
  inHand: number | null;
  /** Whose points are ringed. */
  document: string | null;
  /** Of its entity in hand, which has a second ring. */
  span: SpanInHand | null;
  type: string | null;
  /** Corners of a lasso that is being drawn, pixels. */
  lasso: readonly (readonly [number, number])[];
}

function inks(): (name: string) => string {
  const style = getComputedStyle(globalThis.document.documentElement);
  return (name) => style.getPropertyValue(name).trim();
}

function markSize({ points: { length } }: PointScene): number {
  return length <= 300 ? 13 : length <= 1200 ? 10 : 7;
}

/** The points alone, which are most of the work: they are kept while the pointer moves over them. */
export function drawPoints(context: OffscreenCanvasRenderingContext2D, scene: PointScene): void {
  const { points, marks, positions, scale, selected, ratio } = scene;
  const { side } = scale;
  const ink = inks();
  const size = markSize(scene);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, side, side);
  const font = ink("--font");
  const sprites = marks.groups.map(({ color, shape, count }) =>
    count === 0 ? undefined : sprite(ink(color), shape, font, size, ratio),
  );
  const draw = (drawn: boolean): void => {
    context.globalAlpha = drawn ? 0.85 : 0.15;
    for (let point = 0; point < points.length; point++) {
      if ((selected.size === 0 || selected.has(point)) !== drawn) continue;
      const image = sprites[marks.groupOf[point] ?? -1];
      const [x, y] = placeOf(scale, positions, point);
      // Those out of sight, and those without a place.
      if (image === undefined || !(x > -size && y > -size && x < side + size && y < side + size)) continue;
      context.drawImage(image, x - size, y - size, 2 * size, 2 * size);
    }
  };
  if (selected.size > 0) draw(false);
  draw(true);
  context.globalAlpha = 1;
}

/** What `drawPoints` drew, and over it what is in hand. */
export function drawScatter(context: CanvasRenderingContext2D, drawn: OffscreenCanvas, scene: ScatterScene): void {
  const { points, positions, scale, inHand, document, span, type, lasso, ratio } = scene;
  const { side } = scale;
  const ink = inks();
  const size = markSize(scene);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, side, side);
  context.drawImage(drawn, 0, 0, side, side);
  const ring = (point: number, radius: number, width: number, stroke: string): void => {
    context.beginPath();
    context.arc(...placeOf(scale, positions, point), radius, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = stroke;
    context.stroke();
  };
  points.forEach((point, at) => {
    if (point.document !== document) return;
    ring(at, size * 0.62, 1, ink("--text"));
    const isInHand = point.start === span?.start && point.end === span.end && point.type === type;
    if (isInHand) ring(at, size * 0.8 + 3, 2, ink("--text"));
  });
  if (inHand !== null && inHand < points.length) ring(inHand, size * 0.8, 2.5, ink("--accent"));
  if (lasso.length > 1) {
    context.beginPath();
    for (const [x, y] of lasso) context.lineTo(x, y);
    context.closePath();
    context.lineWidth = 1.5;
    context.strokeStyle = ink("--accent");
    context.setLineDash([4, 3]);
    context.stroke();
    context.setLineDash([]);
  }
}

const drawnSprites = new Map<string, ImageBitmap>();

/** A mark drawn once; points are copies of it. */
function sprite(color: string, shape: string, font: string, size: number, ratio: number): ImageBitmap {
  const key = [color, shape, font, size, ratio].join();
  const known = drawnSprites.get(key);
  if (known !== undefined) return known;
  const canvas = new OffscreenCanvas(Math.ceil(2 * size * ratio), Math.ceil(2 * size * ratio));
  const context = canvas.getContext("2d");
  if (context !== null) {
    context.scale(ratio, ratio);
    context.font = `${size}px ${font}`;
    context.textAlign = "center";
    context.fillStyle = color;
    const { actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = context.measureText(shape);
    context.fillText(shape, size, size + (up - down) / 2);
  }
  // Drawing from a canvas would copy it each time.
  const made = canvas.transferToImageBitmap();
  drawnSprites.set(key, made);
  return made;
}
