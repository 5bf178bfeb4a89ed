import { expect, test } from "vitest";
import { placeOf, planeScale } from "./drawScatter.ts";
import { inSight, insideLasso, panned, seen, WHOLE, zoomed } from "./planeView.ts";

const corners = Float32Array.of(-1, -1, 1, -1, 1, 1, -1, 1, 0.5, 0.25);
const scale = planeScale([corners], 228);

test("zooming keeps what is under the pointer where it is", () => {
  const [x, y] = placeOf(scale, corners, 4);
  const view = zoomed(scale, zoomed(scale, WHOLE, 3, x, y), 1.5, x, y);
  expect(view.zoom).toBeCloseTo(4.5, 12);
  const [zx, zy] = placeOf(seen(scale, view), corners, 4);
  expect(zx).toBeCloseTo(x, 9);
  expect(zy).toBeCloseTo(y, 9);
  const [near] = [placeOf(seen(scale, view), corners, 2)];
  expect(near[0] - zx).toBeCloseTo(4.5 * (placeOf(scale, corners, 2)[0] - x), 9);
});

test("dragging moves points by as many pixels, up to the edge of the whole", () => {
  const view = zoomed(scale, WHOLE, 4, 114, 114);
  const before = placeOf(seen(scale, view), corners, 4);
  const after = placeOf(seen(scale, panned(scale, view, 10, -7)), corners, 4);
  expect([after[0] - before[0], after[1] - before[1]]).toEqual([expect.closeTo(10, 9), expect.closeTo(-7, 9)]);
  const far = panned(scale, view, -1e6, 0);
  // The right edge of the whole, 14 pixels beyond the outermost point, is the right edge of the panel.
  expect(placeOf(seen(scale, far), corners, 2)[0]).toBeCloseTo(228 - 4 * 14, 9);
  expect(zoomed(scale, far, 0.01, 0, 0)).toEqual(WHOLE);
});

test("a lasso holds the points inside it, in what is seen", () => {
  const triangle = [
    [10, 228],
    [228, 228],
    [228, 10],
  ] as const;
  expect(insideLasso(scale, corners, triangle)).toEqual([1, 4]);
  expect(insideLasso(scale, corners, triangle.slice(0, 2))).toEqual([]);
  const around = [
    [0, 0],
    [228, 0],
    [228, 228],
    [0, 228],
  ] as const;
  expect(insideLasso(scale, corners, around)).toEqual([0, 1, 2, 3, 4]);
  expect(insideLasso(scale, corners, [...around, ...around])).toEqual([]);
  const close = seen(scale, zoomed(scale, WHOLE, 4, ...placeOf(scale, corners, 4)));
  expect(insideLasso(close, corners, around)).toEqual([4]);
  expect(inSight(close, corners)).toEqual([4]);
  expect(inSight(scale, corners)).toHaveLength(5);
});
