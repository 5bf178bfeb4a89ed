// The documents of a bundle. For the stage source they may be larger than memory, so they go from file to file one by one.
import { StreamedCorpus } from "../formats/streamCorpus.ts";
import { writeDocuments } from "../formats/formats.ts";
import type { EntityType } from "../ner/document.ts";
import { AtomicFile } from "./atomicFile.ts";
import type { Context } from "./context.ts";
import { noteUnusedTypes, readDocuments, type ReadingOptions, UnusedTypes } from "./documents.ts";
import { fileSource } from "./fileSource.ts";

/** Text that is written to a file at once. */
const PIECE = 1 << 20;
const OFFSETS = { offsets: "code-points" } as const;

/** All documents of a file as obp-jsonl. */
export function bundledDocuments(
  path: string,
  reading: ReadingOptions,
  types: readonly EntityType[],
  context: Pick<Context, "note">,
): string {
  const note = (line: string) => context.note(line);
  const documents = readDocuments(path, reading, note);
  noteUnusedTypes(documents, types, note);
  return writeDocuments(documents, "obp-jsonl", OFFSETS).text;
}

/**
 * Writes the documents of `path` to `out` as obp-jsonl, one record in memory at a time.
 * @returns the file, written and not yet committed
 * @throws FormatError where a record is not sound, or the format is not read record by record
 */
export async function streamDocuments(
  path: string,
  out: string,
  reading: ReadingOptions,
  types: readonly EntityType[],
  context: Pick<Context, "signal" | "note" | "progress">,
): Promise<AtomicFile> {
  const source = await fileSource(path);
  try {
    const corpus = await StreamedCorpus.open({ ...source, name: path }, reading);
    const unused = new UnusedTypes(types);
    const progress = context.progress("reading", source.size, "B");
    const file = new AtomicFile(out);
    let [text, done] = ["", 0];
    try {
      const onBytes = ({ length }: Uint8Array) => progress.update((done += length));
      for await (const { document, line } of corpus.records({ signal: context.signal, onBytes })) {
        unused.add(document);
        // Without an id of its own a record is numbered 1, being read alone; its line tells it from the others.
        const id = document.id === "1" ? String(line) : document.id;
        text += writeDocuments([{ ...document, id }], "obp-jsonl", OFFSETS).text;
        if (text.length >= PIECE) {
          file.write(text);
          text = "";
        }
      }
      file.write(text);
    } catch (error) {
      file.discard();
      throw error;
    } finally {
      progress.finish();
    }
    corpus.warnings.forEach((line) => context.note(`warning: ${path}: ${line}`));
    unused.note((line) => context.note(line));
    return file;
  } finally {
    await source.close();
  }
}
