// Files of one word and its tag a line, a blank line between sentences: reading them into sentences. What the tags mean
// is up to the format (conllBio, fewNerdTxt).
//
// Columns are separated by tabs, or by runs of spaces where no line has a tab; the word is the first, the tag the last.
// A sentence may open with comments, as in CoNLL-U: `# id = …`, `# text = …`, and any other `# key = …`.
import { documentError, type Document } from "../ner/document.ts";
import type { ParseResult } from "./format.ts";
import type { TagSpan } from "./tags.ts";

export interface TaggedSentence {
  readonly id: string;
  /** Line of the first word, or of the first comment where there is none; from 1. */
  readonly line: number;
  /** Line of each word. */
  readonly lines: readonly number[];
  readonly words: readonly string[];
  readonly tags: readonly string[];
  /** `# text =`, where given. */
  readonly text: string | null;
  readonly extra: Readonly<Record<string, string>>;
}

const BLANK = /^[ \t]*$/;
const KEYED_COMMENT = /^# ([\w.-]+) = ?([^]*)$/;
const SECTION = /^-DOCSTART-(\s|$)/;

/** Every line as [number from 1, content without its line end]. */
function fileLines(text: string): [number, string][] {
  return text.split("\n").map((line, index) => [index + 1, line.endsWith("\r") ? line.slice(0, -1) : line]);
}

/** How the lines of one file are split. */
class LineReader {
  readonly #hasTabs: boolean;

  constructor(lines: readonly (readonly [number, string])[]) {
    this.#hasTabs = lines.some(([, line]) => line.includes("\t") && !BLANK.test(line) && !KEYED_COMMENT.test(line));
  }

  columns(line: string): string[] {
    return this.#hasTabs ? line.split("\t") : line.replace(/^ +| +$/g, "").split(/ +/);
  }

  /** Whether a line that opens a sentence is a comment. Without tabs, `# NN O` may as well be the word `#`. */
  isComment(line: string): boolean {
    return KEYED_COMMENT.test(line) || (this.#hasTabs && !line.includes("\t") && /^#(\s|$)/.test(line));
  }
}

/** The first word lines as columns: what a format looks at to tell whether a file is its own. */
export function firstRows(text: string): string[][] {
  const lines = fileLines(text.slice(0, 100_000)).filter(([, line]) => !BLANK.test(line));
  const reader = new LineReader(lines);
  return lines
    .filter(([, line]) => !reader.isComment(line) && !SECTION.test(line))
    .map(([, line]) => reader.columns(line));
}

/** How many columns most lines have: a broken first line must not make all others look broken. */
function commonColumnCount(rows: readonly (readonly string[])[]): number {
  const counts = new Map<number, number>();
  for (const { length } of rows) counts.set(length, (counts.get(length) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0])[0];
}

/**
 * Splits a file into sentences. A sentence with a line that cannot be read is left out and named in `errors`;
 * `tagProblem` says what is wrong with a tag.
 */
export function readTaggedSentences(
  text: string,
  tagProblem: (tag: string) => string | null,
): { sentences: TaggedSentence[]; warnings: string[]; errors: string[] } {
  const lines = fileLines(text);
  const reader = new LineReader(lines);
  const blocks = splitBlocks(lines, reader);
  const columnCount = commonColumnCount(blocks.flatMap(({ rows }) => rows.map(([, line]) => reader.columns(line))));
  const warnings: string[] = [];
  const errors: string[] = [];
  const sentences: TaggedSentence[] = [];
  let ordinal = 0;
  let section = 0;
  let freeComments = 0;
  for (const { comments, rows, opensSection } of blocks) {
    if (opensSection) {
      section++;
      ordinal = 0;
    }
    const { id, text, extra, free } = readComments(comments);
    freeComments += free;
    if (rows.length === 0 && (id === null || text === null)) continue; // the file's own heading
    ordinal++;
    const problems: string[] = [];
    const words: string[] = [];
    const tags: string[] = [];
    for (const [line, content] of rows) {
      const columns = reader.columns(content);
      const problem = rowProblem(columns, columnCount, tagProblem);
      if (problem !== null) problems.push(`line ${line}: ${problem}`);
      words.push(columns[0] ?? "");
      tags.push(columns.at(-1) ?? "");
    }
    errors.push(...problems);
    if (problems.length > 0) continue;
    const line = rows[0]?.[0] ?? comments[0]?.[0] ?? 0;
    const ownId = section > 0 ? `${section}/${ordinal}` : String(ordinal);
    sentences.push({ id: id ?? ownId, line, lines: rows.map(([line]) => line), words, tags, text, extra });
  }
  if (columnCount > 2) {
    const between = columnCount === 3 ? "column 2 is" : `columns 2–${columnCount - 1} are`;
    warnings.push(`${between} not kept (of ${columnCount}: the word is read from the first, the tag from the last)`);
  }
  if (freeComments > 0) warnings.push(`comments that are no "# key = value" are not kept (${freeComments} lines)`);
  return { sentences, warnings, errors };
}

interface Block {
  readonly comments: (readonly [number, string])[];
  readonly rows: (readonly [number, string])[];
  /** A -DOCSTART- line stood before it. */
  opensSection: boolean;
}

function splitBlocks(lines: readonly (readonly [number, string])[], reader: LineReader): Block[] {
  const blocks: Block[] = [];
  const emptyBlock = (): Block => ({ comments: [], rows: [], opensSection: false });
  let block = emptyBlock();
  const finish = () => {
    if (block.comments.length === 0 && block.rows.length === 0) return; // -DOCSTART- waits for its first sentence
    blocks.push(block);
    block = emptyBlock();
  };
  for (const row of lines) {
    const [, line] = row;
    if (BLANK.test(line)) finish();
    else if (block.rows.length === 0 && reader.isComment(line)) block.comments.push(row);
    else if (block.rows.length === 0 && SECTION.test(line)) block.opensSection = true;
    else block.rows.push(row);
  }
  finish();
  return blocks;
}

function readComments(comments: Block["comments"]) {
  const extra: Record<string, string> = {};
  let id: string | null = null;
  let text: string | null = null;
  let free = 0;
  for (const [, line] of comments) {
    const [, key, value = ""] = KEYED_COMMENT.exec(line) ?? [];
    if (key === undefined) free++;
    else if (key === "id" || key === "sent_id") id = value;
    else if (key === "text") text = value;
    else extra[key] = value;
  }
  return { id, text, extra, free };
}

function rowProblem(
  columns: readonly string[],
  count: number,
  tagProblem: (tag: string) => string | null,
): string | null {
  if (columns.length < 2) return "expected a word, a tab or a space, and a tag, got a single column";
  if (columns.length !== count) {
    return `expected ${count} columns as on most lines, got ${columns.length} (separate them by tabs where words hold spaces)`;
  }
  if (columns[0] === "") return "expected a word before the tab, got none";
  return tagProblem(columns.at(-1) ?? "");
}

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
      earlier !== undefined ? `expected an id of its own, got "${id}", as at line ${earlier}` : documentError(document);
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
export function placeWords(text: string, words: readonly string[]): [number, number][] | null {
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
