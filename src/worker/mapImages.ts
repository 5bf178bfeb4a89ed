// Maps as the page draws them: made here, so that nothing is done cell by cell where the page has to stay alive.

import type { PaintedMaps } from "./inspectAttention.ts";
import type { AttentionPaint } from "./protocol.ts";

/** Browser only. The values are a copy, for the page alone: the figure keeps its own. */
export async function mapImages({ rows, columns, panels, legend }: PaintedMaps): Promise<AttentionPaint> {
  const size = 4 * rows * columns;
  const imagesOf = (rgba: Uint8ClampedArray<ArrayBuffer>): Promise<ImageBitmap[]> =>
    Promise.all(
      Array.from({ length: rgba.length / size }, (_, head) => {
        const own = rgba.subarray(head * size, (head + 1) * size);
        return createImageBitmap(new ImageData(own, columns, rows));
      }),
    );
  const made = panels.map(async ({ name, values, rgba }) => {
    return { name, values: values.slice(), images: await imagesOf(rgba) };
  });
  return { panels: await Promise.all(made), legend };
}

/** What goes to the page without being copied. */
export function partsOf({ panels }: AttentionPaint): Transferable[] {
  return panels.flatMap(({ values, images }) => [values.buffer, ...images]);
}
