/** Which tokens of a generated answer spell a part of its text. */

/**
 * @param decode the text of a run of ids; that of a beginning of `ids` may end in U+FFFD, in the middle of a character
 * @param ranges of decode(ids), UTF-16 units, end exclusive; not inside a character
 * @returns for each range the tokens [first, end) that hold some of it
 */
export function tokenRanges(
  decode: (ids: readonly number[]) => string,
  ids: readonly number[],
  ranges: readonly (readonly [start: number, end: number])[],
): [first: number, end: number][] {
  // lengths[i]: units of text when i tokens have been given.
  const lengths = Array.from({ length: ids.length + 1 }, (_, i) => decode(ids.slice(0, i)).length);
  return ranges.map(([start, end]) => [
    lengths.findLastIndex((length) => length <= start),
    lengths.findIndex((length) => length >= end),
  ]);
}
