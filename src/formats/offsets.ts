// Between the offsets of files (code points, or UTF-16 units) and those in memory (UTF-16 units).
import { rangeProblem } from "../ner/document.ts";
import type { OffsetUnit } from "./format.ts";

const unitNames: Record<OffsetUnit, string> = { "code-points": "code points", utf16: "UTF-16 units" };

/** Converts offsets into one text. */
export class OffsetMap {
  /** The text's length in the file's unit. */
  readonly length: number;
  readonly #unit: OffsetUnit;
  /** UTF-16 offset of each code point, and the text's length; null where both units agree. */
  readonly #starts: Uint32Array | null;

  constructor(text: string, unit: OffsetUnit) {
    this.#unit = unit;
    this.#starts = unit === "utf16" || !/[\ud800-\udbff][\udc00-\udfff]/.test(text) ? null : codePointStarts(text);
    this.length = this.#starts === null ? text.length : this.#starts.length - 1;
  }

  /** A range of the file as UTF-16 offsets, or what is wrong with it, in the file's own numbers. */
  range(start: number, end: number): readonly [number, number] | string {
    const problem = rangeProblem(this.length, unitNames[this.#unit], start, end);
    return problem ?? [this.#starts?.[start] ?? start, this.#starts?.[end] ?? end];
  }

  /** The file's offset of a UTF-16 offset that is not inside a surrogate pair. */
  toFile(offset: number): number {
    const starts = this.#starts;
    if (starts === null) return offset;
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Lone surrogates count as one, as in Python. */
function codePointStarts(text: string): Uint32Array {
  const starts: number[] = [];
  for (let offset = 0; offset < text.length; offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1) {
    starts.push(offset);
  }
  starts.push(text.length);
  return Uint32Array.from(starts);
}
