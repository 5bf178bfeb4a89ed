/**
 * A Scene as PNG, byte for byte the same in a browser and in Node: own rasteriser and encoder, and a font that comes with
 * the program. Import it late (`await import`): the font is 0.25 MB.
 */
import { encodePng } from "./encodePng.ts";
import { textOutlines } from "./pictureFonts.ts";
import { Raster } from "./raster.ts";
import type { CellsShape, Scene, SceneShape } from "./scene.ts";

/** Beyond it browsers and viewers refuse pictures, and memory runs out. */
const MOST_PIXELS = 1e8;
const CIRCLE_CORNERS = 48;

/**
 * @param scale pixels of the file a pixel of the scene: 2 for screens, 4 for print
 * @throws Error where the picture would be larger than can be written
 */
export function scenePng(scene: Scene, scale: number): Uint8Array<ArrayBuffer> {
  const [width, height] = [Math.ceil(scene.width * scale), Math.ceil(scene.height * scale)];
  if (!(scale > 0) || width * height > MOST_PIXELS) {
    throw new Error(
      `expected a picture of at most ${MOST_PIXELS / 1e6} million pixels, got ${width}×${height} (choose a smaller scale, or SVG)`,
    );
  }
  const raster = new Raster(width, height, scene.background);
  for (const shape of scene.shapes) {
    draw(raster, shape, scale);
  }
  return encodePng(width, height, raster.rgb);
}

function draw(raster: Raster, shape: SceneShape, scale: number): void {
  const fill = (outlines: readonly (readonly number[])[], color: string, opacity?: number): void =>
    raster.fill(
      outlines.map((points) => points.map((value) => value * scale)),
      color,
      opacity,
    );
  switch (shape.kind) {
    case "rect": {
      const { x, y, width, height } = shape;
      fill([[x, y, x + width, y, x + width, y + height, x, y + height]], shape.fill, shape.opacity);
      break;
    }
    case "polygon":
      fill([shape.points], shape.fill, shape.opacity);
      break;
    case "circle":
      fill([circle(shape.x, shape.y, shape.radius)], shape.fill, shape.opacity);
      break;
    case "line": {
      const { x1, y1, x2, y2 } = shape;
      const length = Math.sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2) || 1;
      const [dx, dy] = [((y1 - y2) / length) * (shape.width / 2), ((x2 - x1) / length) * (shape.width / 2)];
      fill([[x1 + dx, y1 + dy, x2 + dx, y2 + dy, x2 - dx, y2 - dy, x1 - dx, y1 - dy]], shape.stroke);
      break;
    }
    case "text":
      fill(textOutlines(shape), shape.fill);
      break;
    case "cells":
      drawCells(raster, shape, scale);
      break;
  }
}

/** Cells meet on whole pixels, so that no seams show. */
function drawCells(raster: Raster, { x, y, width, height, columns, rows, rgb }: CellsShape, scale: number): void {
  const across = Array.from({ length: columns + 1 }, (_, i) => Math.round((x + (width * i) / columns) * scale));
  const down = Array.from({ length: rows + 1 }, (_, i) => Math.round((y + (height * i) / rows) * scale));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = (row * columns + column) * 3;
      const [x0 = 0, x1 = 0] = [across[column], across[column + 1]];
      const [y0 = 0, y1 = 0] = [down[row], down[row + 1]];
      raster.set(x0, y0, x1, y1, rgb.subarray(at, at + 3));
    }
  }
}

function circle(x: number, y: number, radius: number): number[] {
  return Array.from({ length: CIRCLE_CORNERS }, (_, i) => {
    const angle = (2 * Math.PI * i) / CIRCLE_CORNERS;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  }).flat();
}
