/** A figure as a file: what `obp` writes and what the studio hands out. */
import type { Scene } from "./scene.ts";
import { sceneSvg } from "./sceneSvg.ts";

export const FIGURE_FORMATS = ["json", "csv", "svg", "png"] as const;
export type FigureFormat = (typeof FIGURE_FORMATS)[number];

/** What is drawn, in every form. */
export interface Figure {
  json(): Record<string, unknown>;
  csv(): string;
  scene(): Scene;
}

/** The file's content: the same bytes on the page and on the command line. @param zoom pixels a point, of PNG */
export async function figureFile(
  figure: Figure,
  format: FigureFormat,
  zoom = 2,
): Promise<string | Uint8Array<ArrayBuffer>> {
  switch (format) {
    case "json":
      return `${JSON.stringify(figure.json())}\n`;
    case "csv":
      return figure.csv();
    case "svg":
      return sceneSvg(figure.scene());
    case "png": {
      const { scenePng } = await import("./png.ts");
      return scenePng(figure.scene(), zoom);
    }
  }
}
