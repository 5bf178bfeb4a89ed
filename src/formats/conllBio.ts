// CoNLL: a word and its BIO tag a line, a blank line between sentences (see taggedLines.ts). Reads IOB1, IOB2, IOBES and
// BILOU as conlleval does; writes IOB2, tab-separated.
import type { Document } from "../ner/document.ts";
import type { Format, ParseResult, WriteOptions, WriteResult } from "./format.ts";
import { taggedDocuments } from "./taggedDocuments.ts";
import { firstRows, readTaggedSentences, type TaggedSentence } from "./taggedLines.ts";
import { isPrefixedTag, prefixedTags, spansOfPrefixedTags } from "./tags.ts";
import { writeTaggedWords } from "./taggedWords.ts";

function detect(text: string): boolean {
  const tags = firstRows(text).flatMap(({ tag, columns }) => (columns > 1 ? [tag] : []));
  const types = tags.filter((tag) => tag !== "O");
  // Half, not all: a file with broken tags should be read and its lines named.
  return (
    tags.length > 0 &&
    2 * types.filter(isPrefixedTag).length >= types.length &&
    tags.filter(isPrefixedTag).length * 2 > tags.length
  );
}

function parse(text: string): ParseResult {
  const { sentences, warnings, errors } = readTaggedSentences(text, (tag) =>
    isPrefixedTag(tag)
      ? null
      : `expected O, B-TYPE or I-TYPE (or E-, S-, L-, U-TYPE) in the last column, got ${JSON.stringify(tag)}`,
  );
  const read = sentences.map((sentence) => ({ sentence, ...spansOfPrefixedTags(sentence.tags) }));
  if (read.some(({ sentence, unopened }) => opensSpan(sentence, unopened))) {
    for (const { sentence, unopened } of read) {
      for (const index of unopened) {
        const what = `${sentence.tags[index]} of ${JSON.stringify(sentence.words[index])}`;
        warnings.push(
          `line ${sentence.line + index}: ${what} continues no entity, so it starts one (as conlleval reads it)`,
        );
      }
    }
  }
  const result = taggedDocuments(read.map(({ sentence, spans }) => [sentence, spans]));
  return {
    documents: result.documents,
    warnings: [...warnings, ...result.warnings],
    errors: [...errors, ...result.errors],
  };
}

/**
 * Whether a tag of this sentence shows that the file is not IOB1. There a span starts with I-, and with B- only right
 * behind another span of its type.
 */
function opensSpan({ tags }: TaggedSentence, unopened: readonly number[]): boolean {
  return tags.some((tag, index) => {
    if (/^[ESLU]-/.test(tag)) return true;
    return tag.startsWith("B-") && tags[index - 1]?.slice(2) !== tag.slice(2) && !unopened.includes(index);
  });
}

function write(documents: readonly Document[], options: WriteOptions = {}): WriteResult {
  return writeTaggedWords(documents, options, prefixedTags);
}

export const conllBio = { name: "conll-bio", detect, parse, write } as const satisfies Format;
