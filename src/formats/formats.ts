// The formats there are, and reading and writing by name or by content.
import type { Document } from "../ner/document.ts";
import { conllBio } from "./conllBio.ts";
import { doccano } from "./doccano.ts";
import { fewNerdTxt } from "./fewNerdTxt.ts";
import {
  FormatError,
  type Format,
  type ParseOptions,
  type ParseResult,
  type WriteOptions,
  type WriteResult,
} from "./format.ts";
import { houEpisodes } from "./houEpisodes.ts";
import { obpJsonl } from "./obpJsonl.ts";

const formats = [obpJsonl, conllBio, fewNerdTxt, houEpisodes, doccano] as const;
export type FormatName = (typeof formats)[number]["name"];
export const FORMAT_NAMES = formats.map(({ name }) => name);

function formatNamed(name: FormatName): Format {
  const format = formats.find((candidate) => candidate.name === name);
  if (format === undefined) throw new FormatError(`expected a format (${FORMAT_NAMES.join(", ")}), got ${name}`);
  return format;
}

/** The one format that a file's content looks like. @throws FormatError where none or several do. */
export function detectFormat(text: string): FormatName {
  if (text.trim() === "") throw new FormatError("expected documents, got an empty file");
  const found = formats.filter((format) => format.detect(text)).map(({ name }) => name);
  const [name] = found;
  if (name === undefined) {
    const start = JSON.stringify(text.trimStart().slice(0, 40));
    throw new FormatError(
      `expected one of the formats ${FORMAT_NAMES.join(", ")}, got a file that starts with ${start} (name the format if it is one of them)`,
    );
  }
  if (found.length > 1) {
    throw new FormatError(`expected one format, got a file that could be ${found.join(" or ")} (name the one it is)`);
  }
  return name;
}

/**
 * Reads the documents of a file: bytes are UTF-8, with or without a byte-order mark. Lines that cannot be read are in
 * `errors`, by number; the caller decides whether what is left is of use (nothing in this project takes it as it is).
 * @throws FormatError where the format is not told and not clear, or the bytes are not UTF-8.
 */
export function parseDocuments(
  input: string | Uint8Array,
  { format, ...options }: ParseOptions & { readonly format?: FormatName } = {},
): ParseResult & { readonly format: FormatName } {
  const text = typeof input === "string" ? input.replace(/^\ufeff/, "") : decodeUtf8(input);
  const name = format ?? detectFormat(text);
  return { format: name, ...formatNamed(name).parse(text, options) };
}

/** @throws FormatError where a document is unsound, an id is not its own, or the format cannot hold a document at all. */
export function writeDocuments(
  documents: readonly Document[],
  format: FormatName,
  options: WriteOptions = {},
): WriteResult {
  const ids = new Set<string>();
  for (const { id } of documents) {
    if (ids.has(id)) throw new FormatError(`expected an id of its own for every document, got "${id}" twice`);
    ids.add(id);
  }
  return formatNamed(format).write(documents, options);
}

/** Text without its byte-order mark. @throws FormatError where the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    throw new FormatError(
      `expected UTF-8 text, got ${isUtf16 ? "UTF-16" : "bytes of another encoding"} (save the file as UTF-8)`,
    );
  }
}
