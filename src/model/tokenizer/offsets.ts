/**
 * Where each token stands in the text, from the tokens' bytes (method.md, Prompt): all bytes of one character carry that
 * character's range of UTF-16 units, and a token's range goes from the start of its first byte's character to the end of
 * its last byte's. A surrogate pair is one character; so is a lone surrogate, which reads as U+FFFD.
 */
const utf8 = new TextEncoder();

/**
 * @param text well-formed
 * @param tokenLengths bytes of each token, in order
 * @param holdsByte false for bytes of the text that no token holds
 * @param prefixBytes bytes before the text's first; they carry the empty range at 0
 * @returns [start, end) of each token in UTF-16 units
 */
export function tokenOffsets(
  text: string,
  tokenLengths: readonly number[],
  holdsByte: (byte: number) => boolean,
  prefixBytes: number,
): [number, number][] {
  const bytes = utf8.encode(text);
  const starts = new Uint32Array(bytes.length + prefixBytes);
  const ends = new Uint32Array(bytes.length + prefixBytes);
  let held = text === "" ? 0 : prefixBytes;
  let start = 0;
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i] ?? 0;
    const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const end = start + (size === 4 ? 2 : 1);
    for (const next = i + size; i < next; i++) {
      if (!holdsByte(bytes[i] ?? 0)) continue;
      starts[held] = start;
      ends[held] = end;
      held++;
    }
    start = end;
  }
  const total = tokenLengths.reduce((sum, length) => sum + length, 0);
  if (total !== held) {
    throw new Error(
      `expected tokens of ${held} bytes, the text's own, got ${total} (the vocabulary contradicts itself)`,
    );
  }
  let first = 0;
  return tokenLengths.map((length) => {
    const last = first + length - 1;
    const range: [number, number] = [starts[first] ?? 0, ends[last] ?? 0];
    first = last + 1;
    return range;
  });
}
