// Tagged words → documents: the text is that of `# text =` where the words stand in it, else the words joined by one space.
import { readingError, type Document } from "../ner/document.ts";
import type { ParseResult } from "./format.ts";
import type { TaggedSentence } from "./taggedLines.ts";
import type { TagSpan } from "./tags.ts";

/** Documents of sentences and their spans; ids are checked to be unique. */
export function taggedDocuments(
  sentences: readonly (readonly [TaggedSentence, readonly TagSpan[]])[],
): Pick<ParseResult, "documents" | "warnings" | "errors"> {
  const documents: Document[] = [];
  const warnings: string[] = [];
  const errors: string[] = [];
  const lineOfId = new Map<string, number>();
  for (const [sentence, spans] of sentences) {
    const { id, line, words, extra } = sentence;
    let placed = sentence.text === null ? null : placeWords(sentence.text, words);
    if (sentence.text !== null && placed === null) {
      warnings.push(
        `line ${line}: "# text" does not consist of the sentence's words, so they are joined by spaces instead`,
      );
    }
    const text = placed === null ? words.join(" ") : (sentence.text ?? "");
    placed ??= joinedRanges(words);
    const document: Document = { id, text, entities: entitiesOfSpans(spans, placed), words: placed };
    if (Object.keys(extra).length > 0) document.extra = extra;
    const earlier = lineOfId.get(id);
    const problem =
      earlier !== undefined ? `expected an id of its own, got "${id}", as at line ${earlier}` : readingError(document);
    if (problem === null) documents.push(document);
    else errors.push(`line ${line}: ${problem}`);
    lineOfId.set(id, line);
  }
  return { documents, warnings, errors };
}

/** Spans of words as entities of the text that `words` are ranges of. */
export function entitiesOfSpans(
  spans: readonly TagSpan[],
  words: readonly (readonly [number, number])[],
): { start: number; end: number; type: string }[] {
  return spans.map(({ first, last, type }) => ({ start: words[first]?.[0] ?? 0, end: words[last]?.[1] ?? 0, type }));
}

/** UTF-16 ranges of words joined by one space. */
export function joinedRanges(words: readonly string[]): [number, number][] {
  let start = 0;
  return words.map((word) => {
    const range: [number, number] = [start, start + word.length];
    start = range[1] + 1;
    return range;
  });
}

/** Where the words stand in a text that holds nothing else but white space, or null where it does. */
function placeWords(text: string, words: readonly string[]): [number, number][] | null {
  const ranges: [number, number][] = [];
  let offset = 0;
  for (const word of words) {
    while (!text.startsWith(word, offset)) {
      if (!/\s/.test(text.charAt(offset))) return null; // also at the text's end
      offset++;
    }
    ranges.push([offset, offset + word.length]);
    offset += word.length;
  }
  return /^\s*$/.test(text.slice(offset)) ? ranges : null;
}
