// How a plane is looked at: zoomed and moved, the same in all states; and which points a line drawn around them holds.

import { placeOf, type PlaneScale } from "./drawScatter.ts";

/** `x`, `y`: what is in the middle, from the plane's own middle, in its units. */
export interface PlaneView {
  zoom: number;
  x: number;
  y: number;
}

export const WHOLE: PlaneView = { zoom: 1, x: 0, y: 0 };
const MOST_ZOOM = 200;

/** Part of a plane as large as the whole was. */
export function seen(scale: PlaneScale, { zoom, x, y }: PlaneView): PlaneScale {
  const { middleX, middleY, perUnit, side } = scale;
  return { middleX: middleX + x, middleY: middleY + y, perUnit: perUnit * zoom, side };
}

/** By a factor, with what is at a place (pixels) staying there; never smaller than the whole. */
export function zoomed(scale: PlaneScale, view: PlaneView, factor: number, atX: number, atY: number): PlaneView {
  const zoom = Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor));
  const moved = 1 / (scale.perUnit * view.zoom) - 1 / (scale.perUnit * zoom);
  const [x, y] = [view.x + (atX - scale.side / 2) * moved, view.y - (atY - scale.side / 2) * moved];
  return kept(scale, { zoom, x, y });
}

/** By pixels, as if dragged. */
export function panned(scale: PlaneScale, view: PlaneView, byX: number, byY: number): PlaneView {
  const perUnit = scale.perUnit * view.zoom;
  return kept(scale, { ...view, x: view.x - byX / perUnit, y: view.y + byY / perUnit });
}

/** So that the edges of the whole stay outside. */
function kept({ perUnit, side }: PlaneScale, { zoom, x, y }: PlaneView): PlaneView {
  const most = (side / perUnit / 2) * (1 - 1 / zoom);
  const within = (value: number): number => Math.min(most, Math.max(-most, value)) + 0;
  return { zoom, x: within(x), y: within(y) };
}

/** Indices of the points inside a closed line (pixels); a line that crosses itself holds what it goes around an odd number of times. */
export function insideLasso(
  scale: PlaneScale,
  positions: Float32Array,
  line: readonly (readonly [number, number])[],
): number[] {
  const inside: number[] = [];
  for (let index = 0; 2 * index < positions.length; index++) {
    const [x, y] = placeOf(scale, positions, index);
    let odd = false;
    let before = line.at(-1);
    for (const corner of line) {
      if (before !== undefined) {
        const [[ax, ay], [bx, by]] = [before, corner];
        if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) odd = !odd;
      }
      before = corner;
    }
    if (odd) inside.push(index);
  }
  return inside;
}

/** Indices of the points in sight. */
export function inSight(scale: PlaneScale, positions: Float32Array): number[] {
  const { side } = scale;
  return Array.from({ length: positions.length / 2 }, (_, index) => index).filter((index) =>
    placeOf(scale, positions, index).every((place) => place >= 0 && place <= side),
  );
}
