// What a dataset format is. One module per format; the list of them is in formats.ts.
import { documentError, type Document } from "../ner/document.ts";

/** What offsets in a file count: Unicode code points (doccano, Prodigy, spaCy, Python) or UTF-16 units (JavaScript). */
export const OFFSET_UNITS = ["code-points", "utf16"] as const;
export type OffsetUnit = (typeof OFFSET_UNITS)[number];

export interface ParseOptions {
  /** Default "code-points". */
  readonly offsets?: OffsetUnit;
}

/** Every message names the line, or the sentence or document, that it is about. */
export interface ParseResult {
  /** What could be read. Incomplete where there are errors: whoever needs all of it must look at them. */
  readonly documents: Document[];
  /** What was read, but with something left out or not as expected. */
  readonly warnings: string[];
  /** What could not be read. */
  readonly errors: string[];
}

export interface WriteOptions {
  /** Default "code-points". */
  readonly offsets?: OffsetUnit;
  /** Word-per-line formats: keep ids and spacing in `# key = value` lines, as CoNLL-U does. Default true. */
  readonly comments?: boolean;
}

export interface WriteResult {
  readonly text: string;
  /** What the format cannot hold, per document. */
  readonly warnings: string[];
}

export interface Format {
  readonly name: string;
  /** Whether the text looks like this format, by its content alone; true for a file with some broken lines as well. */
  detect(text: string): boolean;
  parse(text: string, options?: ParseOptions): ParseResult;
  /** @throws FormatError where the documents cannot be written at all. */
  write(documents: readonly Document[], options?: WriteOptions): WriteResult;
}

/** A file or document that cannot be read or written; one sentence. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

/** What every writer does first. @throws FormatError */
export function checkDocument(document: Document): void {
  const problem = documentError(document);
  if (problem !== null) throw new FormatError(problem);
}
