/** An attention map in every form that it is written in. */
import { type AttentionFigure, figureCsv, figureJson, headsOf } from "./attentionFigure.ts";
import { attentionPicture, type AttentionPictureOptions } from "./attentionPicture.ts";
import type { Figure } from "./figureFile.ts";

/** Of each adapter the mean share of a row's attention that falls on some columns. @param columns their indices */
export function entityShares(figure: AttentionFigure, columns: readonly number[]): { name: string; share: number }[] {
  return headShares(figure, columns).map(({ name, shares }) => ({
    name,
    share: shares.reduce((sum, share) => sum + share, 0) / shares.length,
  }));
}

/** The same of each head that the figure shows. */
export function headShares(
  figure: AttentionFigure,
  columns: readonly number[],
): { name: string; shares: readonly number[] }[] {
  const [rows, width] = [figure.rows.length, figure.columns.length];
  return figure.adapters.map(({ name, weights }) => ({
    name,
    shares: headsOf(figure).map((_, h) => {
      let sum = 0;
      for (let row = h * rows; row < (h + 1) * rows; row++) {
        for (const column of columns) sum += weights[row * width + column] ?? NaN;
      }
      return sum / rows;
    }),
  }));
}

/** @param entities columns under gold entities, none twice */
export function attentionDrawing(
  figure: AttentionFigure,
  entities: readonly number[],
  options: AttentionPictureOptions,
): Figure {
  return {
    json: () => ({
      ...figureJson(figure, options.difference),
      ...(entities.length === 0 ? {} : { onEntities: entityShares(figure, entities) }),
    }),
    csv: () => figureCsv(figure, options.difference),
    scene: () => attentionPicture(figure, options),
  };
}
