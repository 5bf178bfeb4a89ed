/** Where the records of streamed corpora lie and which types are asked of each: some twenty bytes a record and eight a prompt. */
import type { Document } from "../ner/document.ts";
import { Growing } from "./growing.ts";

/** Where a record lies in its file. */
export interface RecordPlace {
  readonly start: number;
  readonly length: number;
  /** Of its first line, from 1. */
  readonly line: number;
}

export interface SourceRecord extends RecordPlace {
  readonly document: Document;
  /** The file ended in the last tag of its last word, which may have been longer. */
  readonly mayBeCut: boolean;
}

export interface ScanOptions {
  readonly signal?: AbortSignal;
  /** Gets the whole file, piece by piece. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/** A labelled file that is read record by record. */
export interface SourceCorpus {
  /** For messages. */
  readonly name: string;
  /** All records, in order. */
  records(options: ScanOptions): AsyncIterable<SourceRecord>;
  /** The document of one record again. */
  read(place: RecordPlace): Promise<Document>;
}

/** One prompt: a record of a corpus, and the index of the type it is asked for. */
export interface SourcePrompt {
  readonly corpus: SourceCorpus;
  /** Number of the record over all corpora. */
  readonly record: number;
  readonly place: RecordPlace;
  readonly type: number;
}

const uint32 = () => new Growing((length) => new Uint32Array(length));

export class SourceIndex {
  readonly #corpora: { readonly corpus: SourceCorpus; readonly first: number }[] = [];
  readonly #starts = new Growing((length) => new Float64Array(length)); // a file may be larger than 4 GB
  readonly #lengths = uint32();
  readonly #lines = uint32();
  readonly #promptRecords = uint32();
  readonly #promptTypes = uint32();

  get records(): number {
    return this.#starts.length;
  }

  get prompts(): number {
    return this.#promptRecords.length;
  }

  /** The records that follow are this corpus's. */
  addCorpus(corpus: SourceCorpus): void {
    this.#corpora.push({ corpus, first: this.records });
  }

  /** @returns its number over all corpora */
  addRecord({ start, length, line }: RecordPlace): number {
    this.#starts.push(start);
    this.#lengths.push(length);
    this.#lines.push(line);
    return this.records - 1;
  }

  addPrompt(record: number, type: number): void {
    this.#promptRecords.push(record);
    this.#promptTypes.push(type);
  }

  place(record: number): RecordPlace {
    return { start: this.#starts.at(record), length: this.#lengths.at(record), line: this.#lines.at(record) };
  }

  /** @throws RangeError where there is no such prompt */
  prompt(index: number): SourcePrompt {
    const record = this.#promptRecords.at(index);
    const corpus = this.#corpora.findLast(({ first }) => first <= record)?.corpus;
    if (corpus === undefined) {
      throw new RangeError(`expected record ${record} to be of a corpus, got none`);
    }
    return { corpus, record, place: this.place(record), type: this.#promptTypes.at(index) };
  }
}

/** What the records of one corpus hold, until its prompts are chosen: which types, and how long its texts are. */
export class CorpusContents {
  readonly #sentences = uint32(); // bytes
  readonly #ends = uint32(); // of the lists below, for each record
  readonly #types = uint32();
  readonly #answers = uint32(); // bytes

  /** @param answers bytes that the entities of each type present take in its response */
  add(sentenceBytes: number, answers: ReadonlyMap<number, number>): void {
    this.#sentences.push(sentenceBytes);
    for (const [type, bytes] of answers) {
      this.#types.push(type);
      this.#answers.push(bytes);
    }
    this.#ends.push(this.#types.length);
  }

  /** As they were added, in order. */
  *[Symbol.iterator](): Generator<{ readonly sentenceBytes: number; readonly answers: ReadonlyMap<number, number> }> {
    let from = 0;
    for (let record = 0; record < this.#ends.length; record++) {
      const answers = new Map<number, number>();
      for (; from < this.#ends.at(record); from++) {
        answers.set(this.#types.at(from), this.#answers.at(from));
      }
      yield { sentenceBytes: this.#sentences.at(record), answers };
    }
  }
}
