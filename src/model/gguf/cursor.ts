/** Little-endian reading of a GGUF header from the part of the file that is in memory so far. */
import { GgufError } from "./ggufError.ts";

/** The bytes in memory end before the value does: read at least `bytes` more and parse it again. */
export class Underflow extends Error {
  readonly bytes: number;
  constructor(bytes: number) {
    super();
    this.bytes = bytes;
  }
}

// ignoreBOM: a token that is U+FEFF is a token, not a byte order mark.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// Strings of an array are decoded in runs of this many bytes: one TextDecoder call per token would take longer than
// all the rest of opening a file, and one for the whole array would hold it in memory three times.
const DECODE_RUN = 1 << 16;

export class Cursor {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly fileOffset: number;
  private readonly fileSize: number;
  private at = 0;

  /**
   * @param bytes what is in memory, beginning at the cursor
   * @param fileOffset where in the file `bytes` begins
   * @param fileSize bytes of the whole file: no length read from it can go beyond
   */
  constructor(bytes: Uint8Array, fileOffset: number, fileSize: number) {
    this.bytes = bytes;
    this.fileOffset = fileOffset;
    this.fileSize = fileSize;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** bytes consumed so far */
  get consumed(): number {
    return this.at;
  }

  /** bytes from here to the end of the file */
  get remaining(): number {
    return this.fileSize - this.fileOffset - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  i8(): number {
    return this.view.getInt8(this.take(1));
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  i16(): number {
    return this.view.getInt16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  f32(): number {
    return this.view.getFloat32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }

  i64(): bigint {
    return this.view.getBigInt64(this.take(8), true);
  }

  /** A u64 count, length or offset. Beyond 2^53 it is rounded: no file is that long, so that it is refused anyway. */
  size(): number {
    const at = this.take(8);
    return this.view.getUint32(at + 4, true) * 0x1_0000_0000 + this.view.getUint32(at, true);
  }

  /** A copy of the next `length` bytes. */
  copy(length: number): Uint8Array<ArrayBuffer> {
    const at = this.take(length);
    return new Uint8Array(this.bytes.subarray(at, at + length));
  }

  string(what: string): string {
    const length = this.length(what);
    const at = this.take(length);
    try {
      return utf8.decode(this.bytes.subarray(at, at + length));
    } catch {
      throw notUtf8(what);
    }
  }

  strings(count: number, what: string): string[] {
    this.require(8 * count); // the lengths alone
    const result: string[] = new Array<string>(count);
    const run = new Uint8Array(DECODE_RUN);
    const ends = new Uint32Array(DECODE_RUN); // ends of the run's strings, in UTF-16 units
    let first = 0; // index of the run's first string
    let inRun = 0; // strings …
    let used = 0; // … bytes …
    let units = 0; // … and UTF-16 units in the run
    const flush = () => {
      let text: string;
      try {
        text = utf8.decode(run.subarray(0, used));
      } catch {
        throw notUtf8(what);
      }
      let start = 0;
      for (let i = 0; i < inRun; i++) {
        const end = ends[i] ?? 0;
        result[first + i] = text.slice(start, end);
        start = end;
      }
      first += inRun;
      inRun = used = units = 0;
    };
    for (let i = 0; i < count; i++) {
      const length = this.length(what);
      if (used + length > DECODE_RUN || inRun === DECODE_RUN) flush();
      if (length > DECODE_RUN) {
        this.at -= 8;
        result[first++] = this.string(what);
        continue;
      }
      this.require(length + 8 * (count - 1 - i)); // with the lengths to come: soon seen where the bytes do not suffice
      const at = this.take(length);
      for (let j = at; j < at + length; j++) {
        const byte = this.bytes[j] ?? 0;
        run[used++] = byte;
        if ((byte & 0xc0) !== 0x80) units += byte < 0xf0 ? 1 : 2;
        // The run as a whole being valid says nothing of a string that begins inside a character.
        else if (j === at) throw notUtf8(what);
      }
      ends[inRun++] = units;
    }
    flush();
    return result;
  }

  private length(what: string): number {
    const length = this.size();
    if (length > this.remaining) {
      throw new GgufError(
        `expected ${what} to fit in the ${this.remaining} bytes left in the file, got a length of ${length} bytes (the file is truncated or damaged; download it again)`,
      );
    }
    return length;
  }

  private take(length: number): number {
    this.require(length);
    const at = this.at;
    this.at = at + length;
    return at;
  }

  private require(length: number): void {
    const missing = this.at + length - this.bytes.byteLength;
    if (missing > 0) throw new Underflow(missing);
  }
}

function notUtf8(what: string): GgufError {
  return new GgufError(`expected ${what} to be UTF-8, got other bytes (the file is damaged)`);
}
