// A corpus read record by record, so that it may be larger than memory: once from its beginning to its end, and then
// single records again by their place.
import type { Document } from "../ner/document.ts";
import { FormatError, type OffsetUnit } from "./format.ts";
import { decodeUtf8, detectFormat, type FormatName, parseDocuments } from "./formats.ts";
import { recordKind, type RawRecord, RecordSplitter } from "./streamRecords.ts";

/** Bytes that are read by ranges, such as the model folder's ByteSource. */
export interface CorpusBytes {
  /** For messages. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Where a record lies in its file. */
export interface RecordPlace {
  readonly start: number;
  readonly length: number;
  /** Of its first line, from 1. */
  readonly line: number;
}

export interface CorpusRecord extends RecordPlace {
  readonly document: Document;
  /** The file ended in the last tag of its last word, which may have been longer. */
  readonly mayBeCut: boolean;
}

export interface CorpusOptions {
  /** Default: found by the beginning of the file. */
  readonly format?: FormatName | undefined;
  readonly offsets: OffsetUnit;
}

export interface ScanOptions {
  /** Looked at before each piece. */
  readonly signal?: AbortSignal;
  /** Gets the whole file, piece by piece: for its hash, and for progress. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

const PIECE = 1 << 20;
const WARNINGS_KEPT = 10;

export class StreamedCorpus {
  readonly name: string;
  readonly size: number;
  readonly format: FormatName;
  readonly #bytes: CorpusBytes;
  readonly #offsets: OffsetUnit;
  /** Of the last scan: the first few, each once, and how many more there were. */
  #warnings: string[] = [];
  #moreWarnings = 0;

  /** @throws FormatError where the beginning is of no known format, or of one that is not read record by record */
  static async open(bytes: CorpusBytes, { format, offsets }: CorpusOptions): Promise<StreamedCorpus> {
    const name = format ?? (await inCorpus(bytes, async () => detectFormat(await beginning(bytes))));
    await inCorpus(bytes, () => Promise.resolve(recordKind(name)));
    return new StreamedCorpus(bytes, name, offsets);
  }

  private constructor(bytes: CorpusBytes, format: FormatName, offsets: OffsetUnit) {
    this.name = bytes.name;
    this.size = bytes.size;
    this.format = format;
    this.#bytes = bytes;
    this.#offsets = offsets;
  }

  /** What the last scan had to say, a sentence each. */
  get warnings(): readonly string[] {
    const more = this.#moreWarnings === 0 ? [] : [`and ${this.#moreWarnings} more`];
    return [...this.#warnings, ...more];
  }

  /**
   * All records with a document, in order. A record must be sound by itself; that ids differ is not asked for.
   * @throws FormatError naming the first line that is not sound, and whether the file ends in it
   */
  async *records({ signal, onBytes }: ScanOptions = {}): AsyncGenerator<CorpusRecord> {
    [this.#warnings, this.#moreWarnings] = [[], 0];
    const splitter = new RecordSplitter(recordKind(this.format));
    for (let offset = 0; offset < this.size; offset += PIECE) {
      signal?.throwIfAborted();
      const piece = await this.#bytes.read(offset, Math.min(PIECE, this.size - offset));
      onBytes?.(piece);
      yield* this.#documents(splitter.push(piece));
    }
    yield* this.#documents(splitter.end());
  }

  /** The document of one record again. @throws FormatError where the file has changed meanwhile */
  async read({ start, length, line }: RecordPlace): Promise<Document> {
    const document = this.#parse({ start, line, bytes: await this.#bytes.read(start, length), unterminated: false });
    if (document === null) {
      throw new FormatError(`expected a document at line ${line} of ${this.name}, got none (was the file changed?)`);
    }
    return document;
  }

  *#documents(records: Iterable<RawRecord>): Generator<CorpusRecord> {
    for (const record of this.#named(records)) {
      const document = this.#parse(record, (warning) => this.#warn(warning));
      if (document !== null) {
        const { start, line, bytes, unterminated } = record;
        const mayBeCut = unterminated && recordKind(this.format) === "blocks"; // JSON is whole where it can be read
        yield { start, length: bytes.length, line, document, mayBeCut };
      }
    }
  }

  *#named(records: Iterable<RawRecord>): Generator<RawRecord> {
    try {
      yield* records;
    } catch (error) {
      throw error instanceof FormatError ? this.#unsound(error.message, false) : error;
    }
  }

  /** @throws FormatError naming file and line */
  #parse(record: RawRecord, warn: (warning: string) => void = () => undefined): Document | null {
    const { bytes, line, unterminated } = record;
    const moved = (message: string): string =>
      message.replace(/^line (\d+)/, (_, own: string) => `line ${Number(own) + line - 1}`);
    let text: string;
    try {
      text = decodeUtf8(bytes);
    } catch (error) {
      throw this.#unsound(`line ${line}: ${error instanceof Error ? error.message : String(error)}`, unterminated);
    }
    const { documents, warnings, errors } = parseDocuments(text, { format: this.format, offsets: this.#offsets });
    const [problem] = errors;
    if (problem !== undefined) {
      throw this.#unsound(moved(problem), unterminated);
    }
    warnings.forEach((warning) => warn(moved(warning)));
    return documents[0] ?? null;
  }

  #unsound(problem: string, unterminated: boolean): FormatError {
    return new FormatError(
      unterminated
        ? `expected ${this.name} to end with a whole sentence, got one cut short: ${problem} (was it copied completely?)`
        : `expected sound documents in ${this.name}, got ${problem}`,
    );
  }

  #warn(warning: string): void {
    if (this.#warnings.includes(warning)) return; // of the whole file, said of each record
    if (this.#warnings.length < WARNINGS_KEPT) this.#warnings.push(warning);
    else this.#moreWarnings++;
  }
}

/** As much of a file as shows its format: whole lines where it can be. */
async function beginning(source: CorpusBytes): Promise<string> {
  const bytes = await source.read(0, Math.min(PIECE, source.size));
  const lines = bytes.length < source.size ? bytes.lastIndexOf(0x0a) + 1 : 0;
  let end = lines > 0 ? lines : bytes.length;
  while (lines === 0 && end > 0 && (bytes[end - 1] ?? 0) >= 0x80) end--; // half a character
  return decodeUtf8(bytes.subarray(0, end));
}

async function inCorpus<T>({ name }: CorpusBytes, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`expected to read ${name}, got: ${error.message}`, { cause: error });
  }
}
