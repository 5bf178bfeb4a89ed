// A figure's colour scale as the page takes it.

import { type ColourScale, opaque } from "../inspect/colourScale.ts";
import type { Legend } from "./protocol.ts";

export function legendOf({ kind, table, ticks }: ColourScale): Legend {
  return { kind, rgba: opaque(table), ticks };
}
