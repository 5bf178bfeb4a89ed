// Colours of a figure's cells as a canvas takes them.

import type { ColourScale } from "../inspect/colourScale.ts";
import type { Legend } from "./protocol.ts";

/** @param rgb 3 bytes a cell @returns 4 bytes a cell */
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

export function legendOf({ kind, table, ticks }: ColourScale): Legend {
  return { kind, rgba: opaque(table), ticks };
}
