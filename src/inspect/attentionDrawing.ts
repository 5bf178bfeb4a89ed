/** An attention map in every form that it is written in. */
import { type AttentionFigure, figureCsv, figureJson, headsOf } from "./attentionFigure.ts";
import { attentionPicture, type AttentionPictureOptions } from "./attentionPicture.ts";
import type { Figure } from "./figureFile.ts";

/** Of each adapter the mean share of a row's attention that falls on some columns. @param columns their indices */
export function entityShares(figure: AttentionFigure, columns: readonly number[]): { name: string; share: number }[] {
  const all = figure.rows.length * headsOf(figure).length;
  return figure.adapters.map(({ name, weights }) => {
    let sum = 0;
    for (let row = 0; row < all; row++) {
      sum += columns.reduce((part, column) => part + (weights[row * figure.columns.length + column] ?? NaN), 0);
    }
    return { name, share: sum / all };
  });
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
