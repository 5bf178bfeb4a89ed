/**
 * The words of a document (method.md, Prompt): the corpus's own tokens where it has them; else runs of non-space
 * characters with the punctuation at their edges split off, and Intl.Segmenter's words inside runs of a script that is
 * written without spaces. Spans that the decoder may give begin and end at words.
 */
import type { Document } from "./document.ts";

/** UTF-16 units, end exclusive. */
export type Range = readonly [start: number, end: number];

/** In text order and apart from each other. */
export function segmentWords(document: Pick<Document, "text" | "words">): readonly Range[] {
  return document.words ?? wordsOf(document.text);
}

const unspacedRun =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}][\p{Script_Extensions=Han}\p{Script_Extensions=Hiragana}\p{Script_Extensions=Katakana}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{M}]*/gu;
const beginsWithPunctuation = /^[\p{P}\p{S}]/u;
const characters = new Intl.Segmenter("und", { granularity: "grapheme" });
const words = new Intl.Segmenter("und", { granularity: "word" });

function wordsOf(text: string): Range[] {
  return Array.from(text.matchAll(/\S+/g), (match) => wordsOfRun(match[0], match.index)).flat();
}

/** The words of a run of non-space characters that begins at `base`. */
function wordsOfRun(run: string, base: number): Range[] {
  const parts = Array.from(characters.segment(run), ({ segment, index }) => ({
    range: [base + index, base + index + segment.length] as const,
    isPunctuation: beginsWithPunctuation.test(segment),
  }));
  const first = parts.findIndex((part) => !part.isPunctuation);
  if (first < 0) return parts.map((part) => part.range);
  const last = parts.findLastIndex((part) => !part.isPunctuation);
  const start = parts[first]?.range[0] ?? base;
  const end = parts[last]?.range[1] ?? base;
  return [
    ...parts.slice(0, first).map((part) => part.range),
    ...splitUnspaced(run.slice(start - base, end - base), start),
    ...parts.slice(last + 1).map((part) => part.range),
  ];
}

/** Cuts out the runs of scripts without spaces and gives their words; what is between them stays whole. */
function splitUnspaced(run: string, base: number): Range[] {
  const ranges: Range[] = [];
  let at = 0;
  for (const { 0: unspaced, index } of run.matchAll(unspacedRun)) {
    if (index > at) ranges.push([base + at, base + index]);
    for (const { segment, index: offset } of words.segment(unspaced)) {
      ranges.push([base + index + offset, base + index + offset + segment.length]);
    }
    at = index + unspaced.length;
  }
  if (at < run.length) ranges.push([base + at, base + run.length]);
  return ranges;
}
