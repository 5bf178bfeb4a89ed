// Dataset files in and out, in the worker: a large file would block the page.

import { FORMAT_NAMES, parseDocuments, writeDocuments, type FormatName } from "../formats/formats.ts";
import type { Document } from "../ner/document.ts";
import type { ParsedDocuments, WrittenDocuments } from "./protocol.ts";

const EXTENSIONS: Record<FormatName, string> = {
  "obp-jsonl": "jsonl",
  "conll-bio": "conll",
  "few-nerd-txt": "txt",
  "hou-episodes": "json",
  doccano: "jsonl",
};

/** @throws FormatError where the file is of no known format. Lines that cannot be read come back in `errors`. */
export async function readDocumentFile(file: Blob): Promise<ParsedDocuments> {
  return parseDocuments(new Uint8Array(await file.arrayBuffer()));
}

export function writeDocumentFile(format: string, documents: readonly Document[]): WrittenDocuments {
  const name = FORMAT_NAMES.find((known) => known === format);
  if (name === undefined) throw new Error(`expected a format (${FORMAT_NAMES.join(", ")}), got ${format}`);
  return { ...writeDocuments(documents, name), extension: EXTENSIONS[name] };
}
