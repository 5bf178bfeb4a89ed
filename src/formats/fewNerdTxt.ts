// Few-NERD's own text files (Ding et al. 2021): a word and its bare type a line, O for none, a blank line between
// sentences (see taggedLines.ts). Neighbouring words of the same type are one entity, so that two entities of one type
// side by side cannot be told apart.
import type { Document } from "../ner/document.ts";
import { FormatError, type Format, type ParseResult, type WriteOptions, type WriteResult } from "./format.ts";
import { taggedDocuments } from "./taggedDocuments.ts";
import { firstRows, readTaggedSentences } from "./taggedLines.ts";
import { isPrefixedTag, spansOfTypeTags, typeTags } from "./tags.ts";
import { writeTaggedWords, type TaggedWords } from "./taggedWords.ts";

function detect(text: string): boolean {
  const rows = firstRows(text);
  const tags = rows.flatMap(({ tag, columns }) => (columns === 2 ? [tag] : []));
  const types = tags.filter((tag) => tag !== "O");
  // `b-per` or `B_PER` is a slip in a BIO file, not a type: better no guess than that one.
  const bare = types.filter((tag) => !/^[bieslu][-_]/i.test(tag));
  return tags.includes("O") && 2 * bare.length > types.length && 2 * tags.length > rows.length;
}

function parse(text: string): ParseResult {
  const { sentences, warnings, errors } = readTaggedSentences(text, (tag) =>
    tag === "" ? "expected O or a type in the last column, got nothing" : null,
  );
  const result = taggedDocuments(sentences.map((sentence) => [sentence, spansOfTypeTags(sentence.tags)]));
  return {
    documents: result.documents,
    warnings: [...warnings, ...result.warnings],
    errors: [...errors, ...result.errors],
  };
}

function write(documents: readonly Document[], options: WriteOptions = {}): WriteResult {
  return writeTaggedWords(documents, options, typeTags, mergedEntities);
}

/** Warnings for entities that would be read as part of the one before them. @throws FormatError for a type like `O` */
function mergedEntities({ id }: Document, { words, spans }: TaggedWords): string[] {
  return spans.flatMap(({ first, last, type }, index) => {
    if (isPrefixedTag(type)) {
      throw new FormatError(
        `document "${id}": expected types that do not look like BIO tags, got ${type} (use conll-bio)`,
      );
    }
    const before = spans[index - 1];
    if (before?.type !== type || before.last !== first - 1) return [];
    const text = JSON.stringify(words.slice(first, last + 1).join(" "));
    return [`document "${id}": entity ${text} (${type}) merges with the one before it (conll-bio keeps them apart)`];
  });
}

export const fewNerdTxt = { name: "few-nerd-txt", detect, parse, write } as const satisfies Format;
