// Draws points of a plane, each with its type's colour and shape, on the scale that all states share.

import type { SpacePoint } from "../../worker/protocol.ts";
import { typeStyle } from "../typeStyle.ts";

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
  let found: number | null = null;
  let least = 12 ** 2;
  for (let index = 0; 2 * index < positions.length; index++) {
    const [px, py] = placeOf(scale, positions, index);
    const square = (px - x) ** 2 + (py - y) ** 2;
    if (square < least) [found, least] = [index, square];
  }
  return found;
}

export interface ScatterScene {
  points: readonly SpacePoint[];
  types: readonly string[];
  positions: Float32Array;
  scale: PlaneScale;
  /** Index of the point in hand. */
  inHand: number | null;
  /** Whose points are ringed. */
  document: string | null;
  ratio: number;
}

export function drawScatter(context: CanvasRenderingContext2D, scene: ScatterScene): void {
  const { points, types, positions, scale, inHand, document, ratio } = scene;
  const { side } = scale;
  const style = getComputedStyle(globalThis.document.documentElement);
  const ink = (name: string): string => style.getPropertyValue(name).trim();
  const size = points.length <= 300 ? 13 : points.length <= 1200 ? 10 : 7;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, side, side);
  const sprites = types.map((_, type) => sprite(type, size, ratio, ink));
  const index = new Map(types.map((name, type) => [name, type]));
  context.globalAlpha = 0.85;
  points.forEach(({ type }, point) => {
    const image = sprites[index.get(type) ?? -1];
    const [x, y] = placeOf(scale, positions, point);
    if (image !== undefined) context.drawImage(image, x - size, y - size, 2 * size, 2 * size);
  });
  context.globalAlpha = 1;
  const ring = (point: number, radius: number, width: number, stroke: string): void => {
    context.beginPath();
    context.arc(...placeOf(scale, positions, point), radius, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = stroke;
    context.stroke();
  };
  points.forEach((point, at) => {
    if (point.document === document) ring(at, size * 0.62, 1, ink("--text"));
  });
  if (inHand !== null && inHand < points.length) ring(inHand, size * 0.8, 2.5, ink("--accent"));
}

/** A type's mark drawn once; points are copies of it. */
function sprite(type: number, size: number, ratio: number, ink: (name: string) => string): OffscreenCanvas {
  const { color, shape } = typeStyle(type);
  const made = new OffscreenCanvas(Math.ceil(2 * size * ratio), Math.ceil(2 * size * ratio));
  const context = made.getContext("2d");
  if (context === null) return made;
  context.scale(ratio, ratio);
  context.font = `${size}px ${ink("--font")}`;
  context.textAlign = "center";
  context.fillStyle = ink(/--[\w-]+/.exec(color)?.[0] ?? "--text");
  const { actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = context.measureText(shape);
  context.fillText(shape, size, size + (up - down) / 2);
  return made;
}
