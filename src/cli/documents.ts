// Documents and types that a verb reads.
import { OFFSET_UNITS } from "../formats/format.ts";
import { FORMAT_NAMES, parseDocuments, type FormatName } from "../formats/formats.ts";
import { typesOf } from "../formats/typesJson.ts";
import type { Document, EntityType } from "../ner/document.ts";
import type { OffsetUnit } from "../formats/format.ts";
import { inFile, readBytes, readText } from "./readFile.ts";
import type { Flag } from "./verb.ts";

/** How a documents file is to be read, where its content does not say. */
export const documentFlags = {
  format: { kind: "choice", choices: FORMAT_NAMES, help: "format of the documents (default: found by content)" },
  offsets: { kind: "choice", choices: OFFSET_UNITS, fallback: "code-points", help: "what offsets in files count" },
} as const satisfies Record<string, Flag>;

export interface ReadingOptions {
  readonly format: FormatName | undefined;
  readonly offsets: OffsetUnit;
}

/** How many warnings of one file are shown one by one. */
const WARNINGS_SHOWN = 10;

/** Reads all documents of a file; a broken line is an error, so nothing is ever left out silently. */
export function readDocuments(
  path: string,
  options: ReadingOptions,
  note: (line: string) => void,
): readonly Document[] {
  const { documents, warnings } = readSound(path, options);
  warnings.slice(0, WARNINGS_SHOWN).forEach((warning) => note(`warning: ${path}: ${warning}`));
  const more = warnings.length - WARNINGS_SHOWN;
  if (more > 0) {
    note(`warning: ${path}: and ${more} more (obp data check --json lists them)`);
  }
  return documents;
}

/** Reads a file whose every line must be sound. */
export function readSound(path: string, options: ReadingOptions): ReturnType<typeof parseFile> {
  const result = parseFile(path, options);
  const [first] = result.errors;
  if (first !== undefined) {
    const more = result.errors.length > 1 ? ` (and ${result.errors.length - 1} more: obp data check lists them)` : "";
    throw new Error(`expected sound documents in ${path}, got ${first}${more}`);
  }
  return result;
}

/** Reads a file with all that is to be said of its lines. */
export function parseFile(path: string, { format, offsets }: ReadingOptions): ReturnType<typeof parseDocuments> {
  return inFile(path, () => parseDocuments(readBytes(path), { offsets, ...(format === undefined ? {} : { format }) }));
}

/** Reads types.json: an object of names and what each refers to, in the file's order. */
export function readTypes(path: string): readonly EntityType[] {
  return typesOf(readJson(path), path);
}

/** Names the entity types of `documents` that `types` leaves out: they take no part. */
export function noteUnusedTypes(
  documents: readonly Document[],
  types: readonly EntityType[],
  note: (line: string) => void,
): void {
  const unused = new UnusedTypes(types);
  documents.forEach((document) => unused.add(document));
  unused.note(note);
}

/** The same of documents that come one by one. */
export class UnusedTypes {
  readonly #used: ReadonlySet<string>;
  readonly #counts = new Map<string, number>();

  constructor(types: readonly EntityType[]) {
    this.#used = new Set(types.map(({ name }) => name));
  }

  add({ entities }: Document): void {
    for (const { type } of entities) {
      if (!this.#used.has(type)) {
        this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
      }
    }
  }

  note(note: (line: string) => void): void {
    if (this.#counts.size > 0) {
      const list = [...this.#counts].map(([type, count]) => `${type} (${count})`).join(", ");
      note(`note: entities of types that are not among the given types are left out: ${list}`);
    }
  }
}

/** Reads a JSON file; a parser's message names the place. */
export function readJson(path: string): unknown {
  return inFile(path, () => JSON.parse(readText(path)) as unknown);
}
