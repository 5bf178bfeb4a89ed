// Documents → words and spans of words, for the formats of one word a line; and the lines themselves.
import { compareEntities, type Document, type Entity } from "../ner/document.ts";
import { segmentWords } from "../ner/words.ts";
import { checkDocument, type WriteOptions, type WriteResult } from "./format.ts";
import { lostFields } from "./losses.ts";
import type { TagSpan } from "./tags.ts";

type Range = readonly [number, number];

export interface TaggedWords {
  readonly words: readonly string[];
  /** In text order, not overlapping. */
  readonly spans: readonly TagSpan[];
  /** What tags of words cannot say about this document. */
  readonly warnings: readonly string[];
}

/**
 * The document's words with its entities as spans of them. Words are the corpus's own, else segmented; an entity that
 * ends inside a word splits it, so that no entity is moved. Of overlapping entities the first and longest is kept.
 */
export function tagWords(document: Document): TaggedWords {
  const { id, text, entities } = document;
  const warnings: string[] = [];
  const warn = (entity: Entity, what: string) =>
    warnings.push(
      `document "${id}": entity ${JSON.stringify(text.slice(entity.start, entity.end))} (${entity.type}) ${what}`,
    );
  const base = coverText(text, document.words ?? segmentWords(document));
  const ranges = splitWords(text, base, entities);
  if (document.words !== undefined && ranges.length !== document.words.length) {
    warnings.push(
      `document "${id}": ${document.words.length} words become ${ranges.length}, so that entities and text fit`,
    );
  }
  const spans: TagSpan[] = [];
  let keptEnd = 0;
  for (const entity of entities.toSorted(compareEntities)) {
    const first = ranges.findIndex(([start, end]) => start < entity.end && end > entity.start);
    const last = ranges.findLastIndex(([start, end]) => start < entity.end && end > entity.start);
    const [start, end] = [ranges[first]?.[0], ranges[last]?.[1]];
    if (start === undefined || end === undefined) {
      warn(entity, "is lost: it holds no word");
    } else if (entity.start < keptEnd) {
      warn(entity, "is lost: it overlaps another entity");
    } else {
      if (start !== entity.start || end !== entity.end) warn(entity, "loses the white space at its edges");
      spans.push({ first, last, type: entity.type });
      keptEnd = entity.end;
    }
  }
  return { words: ranges.map(([start, end]) => text.slice(start, end)), spans, warnings };
}

/** The words, and any other text between them as words of its own: readers find words by their order in the text. */
function coverText(text: string, words: readonly Range[]): Range[] {
  const covered: Range[] = [];
  let offset = 0;
  for (const [start, end] of [...words, [text.length, text.length] as const]) {
    for (const { index, 0: run } of text.slice(offset, start).matchAll(/\S+/g)) {
      covered.push([offset + index, offset + index + run.length]);
    }
    if (text.slice(start, end).trim() !== "") covered.push([start, end]);
    offset = end;
  }
  return covered;
}

/** Cuts words at the edges of entities, and where their text would be read as something else than a word. */
function splitWords(text: string, words: readonly Range[], entities: readonly Entity[]): Range[] {
  const edges = new Set(entities.flatMap(({ start, end }) => [start, end]));
  return words.flatMap(([start, end], index) => {
    const pieces: Range[] = [];
    // What would be read as a -DOCSTART- line, or in front as a comment, is cut behind its first character.
    const word = text.slice(start, end);
    const misread = word === "-DOCSTART-" || (index === 0 && word.startsWith("# ")) ? start + 1 : -1;
    let pieceStart = start;
    for (let offset = start + 1; offset <= end; offset++) {
      if (offset < end && offset !== misread && !edges.has(offset) && !/[\t\n\r]/.test(text.charAt(offset))) continue;
      const piece = text.slice(pieceStart, offset);
      const lead = piece.length - piece.replace(/^[\t\n\r]+/, "").length;
      if (piece.trim() !== "") pieces.push([pieceStart + lead, offset]);
      pieceStart = offset;
    }
    return pieces;
  });
}

/** Writes documents one word a line; `tagsOf` turns the spans of a sentence into one tag a word. */
export function writeTaggedWords(
  documents: readonly Document[],
  { comments = true }: WriteOptions,
  tagsOf: (wordCount: number, spans: readonly TagSpan[]) => readonly string[],
  problemsOf: (document: Document, tagged: TaggedWords) => readonly string[] = () => [],
): WriteResult {
  const warnings: string[] = [];
  const blocks: string[] = [];
  for (const [index, document] of documents.entries()) {
    checkDocument(document);
    const tagged = tagWords(document);
    const { words, spans } = tagged;
    const tags = tagsOf(words.length, spans);
    warnings.push(...tagged.warnings, ...problemsOf(document, tagged));
    const head = headLines(document, String(index + 1), words);
    warnings.push(...(comments ? [] : head.lost), ...head.changed);
    if (!comments && words.length === 0) warnings.push(`document "${document.id}" is left out: it holds no word`);
    const lines = [...(comments ? head.lines : []), ...words.map((word, index) => `${word}\t${tags[index]}`)];
    if (lines.length > 0) blocks.push(`${lines.join("\n")}\n`);
  }
  warnings.push(...lostFields(documents, ["probability", "rejected", "hallucinated"]));
  return { text: blocks.join("\n"), warnings };
}

/** The comments that keep what the words alone do not: an id other than the sentence's number, the text's own spacing. */
function headLines({ id, text, extra = {} }: Document, ownId: string, words: readonly string[]) {
  const lines: string[] = [];
  const lost: string[] = [];
  const changed: string[] = [];
  if (id !== ownId || words.length === 0) {
    lines.push(`# id = ${id}`);
    lost.push(`document "${id}": its id is not kept`);
  }
  // A byte-order mark that opens the text must not open the file.
  if (text !== words.join(" ") || words.length === 0 || text.startsWith("\ufeff")) {
    lines.push(`# text = ${text.replace(/[\n\r]/g, " ")}`);
    lost.push(`document "${id}": its white space is not kept (words are joined by one space)`);
    if (/[\n\r]/.test(text)) changed.push(`document "${id}": line breaks in its text become spaces`);
  }
  if (/\p{Surrogate}/u.test(text))
    changed.push(`document "${id}": lone surrogates in its text become U+FFFD in a file`);
  for (const [key, value] of Object.entries(extra)) {
    if (
      typeof value === "string" &&
      /^[\w.-]+$/.test(key) &&
      !/[\n\r]/.test(value) &&
      !["id", "sent_id", "text"].includes(key)
    ) {
      lines.push(`# ${key} = ${value}`);
      lost.push(`document "${id}": its field ${key} is not kept`);
    } else {
      changed.push(`document "${id}": its field ${key} is not kept`);
    }
  }
  return { lines, lost, changed };
}
