// Cuts a text at every edge of a word or an entity, so that each piece is drawn by one element. Pure.

import type { Entity } from "../../ner/document.ts";
import type { Word } from "./edits.ts";

export interface Piece<E extends Entity> {
  start: number;
  end: number;
  /** Index of the word that it lies in, or null between words. */
  word: number | null;
  /** The entities that cover it, longest first: the order in which they nest. */
  entities: E[];
}

export function cutPieces<E extends Entity>(text: string, words: readonly Word[], entities: readonly E[]): Piece<E>[] {
  const edges = new Set([0, text.length]);
  for (const [start, end] of words) edges.add(start).add(end);
  for (const { start, end } of entities) edges.add(start).add(end);
  const sorted = [...edges].sort((a, b) => a - b);
  const nested = [...entities].sort((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start);
  const pieces: Piece<E>[] = [];
  let word = 0;
  for (const [index, start] of sorted.entries()) {
    const end = sorted[index + 1];
    if (end === undefined) break;
    while ((words[word]?.[1] ?? Infinity) <= start) word++;
    const inWord = (words[word]?.[0] ?? Infinity) <= start;
    pieces.push({
      start,
      end,
      word: inWord ? word : null,
      entities: nested.filter((entity) => entity.start <= start && end <= entity.end),
    });
  }
  return pieces;
}

/**
 * The line on which each entity's underline and name are drawn, 0 nearest to the text: the first that is free of longer
 * entities it overlaps.
 */
export function underlineLevels<E extends Entity>(entities: readonly E[]): Map<E, number> {
  const levels = new Map<E, number>();
  const shortestFirst = [...entities].sort((a, b) => a.end - a.start - (b.end - b.start) || a.start - b.start);
  for (const entity of shortestFirst) {
    const taken = new Set<number>();
    for (const [other, level] of levels) {
      if (entity.start < other.end && other.start < entity.end) taken.add(level);
    }
    let level = 0;
    while (taken.has(level)) level++;
    levels.set(entity, level);
  }
  return levels;
}
