/**
 * Reads a response that was generated freely: the strings between `<<<` and `>>>`, each placed at its leftmost free
 * occurrence in the sentence (method.md, Prompt). What has none is a hallucination.
 */
import { CLOSE, OPEN } from "./prompt.ts";
import type { Range } from "./words.ts";

export interface ParsedResponse {
  /** UTF-16 ranges of the sentence, in the response's order. */
  spans: [start: number, end: number][];
  /** For each span the range of the response that gives it, UTF-16: from behind its `<<<` to behind its `>>>`. */
  groups: [start: number, end: number][];
  /** Strings without a free place in the sentence, in the response's order. */
  hallucinated: string[];
}

const group = new RegExp(`${OPEN.trim()}(.*?)${CLOSE.trim()}`, "gs");

/** A group that is never closed is not an answer; an empty one says that there is nothing. */
export function parseResponse(response: string, sentence: string, words: readonly Range[]): ParsedResponse {
  const parsed: ParsedResponse = { spans: [], groups: [], hallucinated: [] };
  const starts = new Set(words.map(([start]) => start));
  const ends = new Set(words.map(([, end]) => end));
  for (const match of response.matchAll(group)) {
    const text = (match[1] ?? "").trim();
    if (text === "") continue;
    const places = occurrences(sentence, text);
    // Inside words ("art" in "party") only where the string is nowhere a run of words.
    const atWords = places.filter(([start, end]) => starts.has(start) && ends.has(end));
    const place = (atWords.length > 0 ? atWords : places).find(([start, end]) =>
      parsed.spans.every((other) => end <= other[0] || start >= other[1]),
    );
    if (place === undefined) {
      parsed.hallucinated.push(text);
      continue;
    }
    parsed.spans.push(place);
    parsed.groups.push([match.index + OPEN.trim().length, match.index + match[0].length]);
  }
  return parsed;
}

/** Every place where a text stands in a sentence, overlapping ones too. Any white space matches any other. */
function occurrences(sentence: string, text: string): [number, number][] {
  const words = text.split(/\s+/).map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  const pattern = new RegExp(words.join("\\s+"), "g");
  const places: [number, number][] = [];
  for (let match = pattern.exec(sentence); match !== null; match = pattern.exec(sentence)) {
    places.push([match.index, match.index + match[0].length]);
    pattern.lastIndex = match.index + 1;
  }
  return places;
}
