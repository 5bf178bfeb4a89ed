// Records of files that are larger than memory: bytes come in pieces, and what is one document in the file (a line, or
// the lines between two blank ones) is handed on as soon as it is whole.
import { FormatError } from "./format.ts";
import type { FormatName } from "./formats.ts";

const RECORDS = {
  "obp-jsonl": "lines",
  doccano: "lines",
  "conll-bio": "blocks",
  "few-nerd-txt": "blocks",
  "hou-episodes": null, // one JSON value
} as const satisfies Record<FormatName, "lines" | "blocks" | null>;
export type RecordKind = "lines" | "blocks";

/** How files of a format fall into records. @throws FormatError where the whole file is one value */
export function recordKind(format: FormatName): RecordKind {
  const kind = RECORDS[format];
  if (kind === null) {
    const streamed = Object.entries(RECORDS).flatMap(([name, value]) => (value === null ? [] : [name]));
    throw new FormatError(
      `expected a format that is read line by line (${streamed.join(", ")}), got ${format} (convert it with obp data convert)`,
    );
  }
  return kind;
}

/** Bytes of a file that make one document, or none (comments, the heading of a section). */
export interface RawRecord {
  /** Of its first byte in the file. */
  readonly start: number;
  /** Of its first line, from 1. */
  readonly line: number;
  /** Without the last line's end; of use until the next piece comes. */
  readonly bytes: Uint8Array;
  /** The file ended in it, without the end of a line. */
  readonly unterminated: boolean;
}

/** A record that is longer is no record, but a file of another kind. */
const MOST_BYTES = 4 << 20;
const NEWLINE = 0x0a;
const SECTION = new TextEncoder().encode("-DOCSTART-");

/** Cuts pieces of a file, given in order, into its records. */
export class RecordSplitter {
  readonly #kind: RecordKind;
  /** What belongs to no finished record yet, where it lies in the file, and its first line. */
  #pending: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #line = 1;

  constructor(kind: RecordKind) {
    this.#kind = kind;
  }

  /** The records that are whole with this piece. @throws FormatError where one is too long */
  *push(piece: Uint8Array): Generator<RawRecord> {
    const bytes = joined(this.#pending, piece);
    const record = (start: number, end: number, line: number): RawRecord => ({
      start: this.#offset + start,
      line,
      bytes: bytes.subarray(start, end),
      unterminated: false,
    });
    let block: { readonly start: number; readonly line: number } | null = null;
    let [from, line] = [0, this.#line];
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      const blank = isBlank(bytes, from, end);
      if (this.#kind === "lines") {
        if (!blank) yield record(from, end, line);
      } else {
        if (block !== null && (blank || startsWith(bytes, from, SECTION))) {
          yield record(block.start, from, block.line);
          block = null;
        }
        if (!blank) block ??= { start: from, line };
      }
      from = end + 1;
      line++;
    }
    block ??= { start: from, line };
    this.#pending = bytes.subarray(block.start);
    this.#offset += block.start;
    this.#line = block.line;
    if (this.#pending.length > MOST_BYTES) {
      throw new FormatError(
        `line ${this.#line}: expected a sentence of at most ${MOST_BYTES >> 20} MB, got a longer one (one document a line, or blank lines between sentences, are needed)`,
      );
    }
  }

  /** The record that the file ends in, where there is one. */
  *end(): Generator<RawRecord> {
    const bytes = this.#pending;
    const lastLine = bytes.lastIndexOf(NEWLINE) + 1;
    const unterminated = !isBlank(bytes, lastLine, bytes.length);
    if (unterminated || lastLine > 0) {
      yield { start: this.#offset, line: this.#line, bytes, unterminated };
    }
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

/** Whether only spaces, tabs and carriage returns stand there. */
function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => bytes[at + i] === byte);
}
