// Files of one word and its tag a line, a blank line between sentences: reading them into sentences. What the tags mean
// is up to the format (conllBio, fewNerdTxt).
//
// Columns are separated by tabs, or by runs of spaces where most lines have no tab; the word is the first, the tag the last.
// A sentence may open with comments, as in CoNLL-U: `# id = …`, `# text = …`, and any other `# key = …`.

export interface TaggedSentence {
  readonly id: string;
  /** Line of the first word, from 1; the others follow line by line. */
  readonly line: number;
  readonly words: readonly string[];
  readonly tags: readonly string[];
  /** `# text =`, where given. */
  readonly text: string | null;
  readonly extra: Readonly<Record<string, string>>;
}

const BLANK = /^[ \t]*$/;
const KEYED_COMMENT = /^# ([\w.-]+) = ?([^]*)$/;
const FREE_COMMENT = /^#(\s|$)/;
const SECTION = /^-DOCSTART-(\s|$)/;

/** How the lines of one file are split. */
class LineReader {
  readonly lines: readonly string[];
  readonly #hasTabs: boolean;

  constructor(text: string) {
    this.lines = text.replaceAll("\r\n", "\n").split("\n");
    const rows = this.lines.filter((line) => !BLANK.test(line) && !KEYED_COMMENT.test(line));
    const withTab = rows.filter((line) => line.includes("\t")).length;
    const without = rows.filter((line) => !line.includes("\t") && !FREE_COMMENT.test(line)).length;
    // Most, not any: one stray tab must not make all other lines look broken.
    this.#hasTabs = withTab > 0 && withTab >= without;
  }

  /** Word, tag, and number of columns. Without arrays, since big files have a million lines. */
  split(line: string): { word: string; tag: string; columns: number } {
    const separator = this.#hasTabs ? "\t" : " ";
    const content = this.#hasTabs ? line : line.replace(/ +/g, " ").replace(/^ | $/g, "");
    const first = content.indexOf(separator);
    if (first < 0) return { word: content, tag: "", columns: 1 };
    const last = content.lastIndexOf(separator);
    let columns = 2;
    for (let at = first; at < last; at = content.indexOf(separator, at + 1)) columns++;
    return { word: content.slice(0, first), tag: content.slice(last + 1), columns };
  }

  /** Whether a line that opens a sentence is a comment. Without tabs, `# NN O` may as well be the word `#`. */
  isComment(line: string): boolean {
    if (!line.startsWith("#")) return false;
    return KEYED_COMMENT.test(line) || (this.#hasTabs && !line.includes("\t") && FREE_COMMENT.test(line));
  }
}

/** The first words, tags and column numbers: what a format looks at to tell whether a file is its own. */
export function firstRows(text: string): { word: string; tag: string; columns: number }[] {
  const reader = new LineReader(text.slice(0, 100_000));
  return reader.lines
    .filter((line) => !BLANK.test(line) && !reader.isComment(line) && !SECTION.test(line))
    .map((line) => reader.split(line));
}

/** How many columns most lines have: a broken first line must not make all others look broken. */
function commonColumnCount(reader: LineReader, blocks: readonly Block[]): number {
  const counts = new Map<number, number>();
  for (const { start, end } of blocks) {
    for (let index = start; index < end; index++) {
      const { columns } = reader.split(reader.lines[index] ?? "");
      counts.set(columns, (counts.get(columns) ?? 0) + 1);
    }
  }
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
  const reader = new LineReader(text);
  const blocks = splitBlocks(reader);
  const columnCount = commonColumnCount(reader, blocks);
  const warnings: string[] = [];
  const errors: string[] = [];
  const sentences: TaggedSentence[] = [];
  let ordinal = 0;
  let section = 0;
  let lostComments = 0;
  for (const { comments, start, end, opensSection } of blocks) {
    if (opensSection) {
      section++;
      ordinal = 0;
    }
    const { id, text, extra, free } = readComments(comments);
    if (start === end && (id === null || text === null)) {
      lostComments += comments.length; // the file's own heading
      continue;
    }
    lostComments += free;
    ordinal++;
    const words: string[] = [];
    const tags: string[] = [];
    let broken = false;
    for (let index = start; index < end; index++) {
      const row = reader.split(reader.lines[index] ?? "");
      const problem = rowProblem(row, columnCount) ?? tagProblem(row.tag);
      words.push(row.word);
      tags.push(row.tag);
      if (problem === null) continue;
      errors.push(`line ${index + 1}: ${problem}`);
      broken = true;
    }
    if (broken) continue;
    const ownId = section > 0 ? `${section}/${ordinal}` : String(ordinal);
    sentences.push({ id: id ?? ownId, line: start + 1, words, tags, text, extra });
  }
  if (columnCount > 2) {
    const between = columnCount === 3 ? "column 2 is" : `columns 2–${columnCount - 1} are`;
    warnings.push(`${between} not kept (of ${columnCount}: the word is read from the first, the tag from the last)`);
  }
  if (lostComments > 0)
    warnings.push(`comments that are no "# key = value" of a sentence are not kept (${lostComments} lines)`);
  return { sentences, warnings, errors };
}

interface Block {
  readonly comments: readonly string[];
  /** Its word lines are lines[start] to lines[end - 1]. */
  readonly start: number;
  readonly end: number;
  /** A -DOCSTART- line stood before it. */
  readonly opensSection: boolean;
}

function splitBlocks(reader: LineReader): Block[] {
  const blocks: Block[] = [];
  let comments: string[] = [];
  let words = 0;
  let opensSection = false;
  const finish = (end: number) => {
    if (comments.length === 0 && words === 0) return; // -DOCSTART- waits for its first sentence
    blocks.push({ comments, start: end - words, end, opensSection });
    [comments, words, opensSection] = [[], 0, false];
  };
  for (const [index, line] of reader.lines.entries()) {
    if (BLANK.test(line)) {
      finish(index);
    } else if (SECTION.test(line)) {
      finish(index);
      opensSection = true;
    } else if (words === 0 && reader.isComment(line)) {
      comments.push(line);
    } else {
      words++;
    }
  }
  finish(reader.lines.length);
  return blocks;
}

function readComments(comments: readonly string[]) {
  const extra: Record<string, string> = {};
  let id: string | null = null;
  let text: string | null = null;
  let free = 0;
  for (const comment of comments) {
    const [, key, value = ""] = KEYED_COMMENT.exec(comment) ?? [];
    if (key === undefined) free++;
    else if (key === "id" || key === "sent_id") id = value;
    else if (key === "text") text = value;
    else extra[key] = value;
  }
  return { id, text, extra, free };
}

function rowProblem({ word, columns }: { word: string; columns: number }, expected: number): string | null {
  if (columns < 2) return "expected a word, a tab or a space, and a tag, got a single column";
  if (columns !== expected) {
    return `expected ${expected} columns as on most lines, got ${columns} (separate them by tabs where words hold spaces)`;
  }
  return word === "" ? "expected a word before the tab, got none" : null;
}
