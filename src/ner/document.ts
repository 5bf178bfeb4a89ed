/**
 * A sentence (or longer text) with its named entities: what every part of the studio hands around.
 *
 * Offsets in memory are UTF-16 code units, end exclusive, so that `text.slice(start, end)` is the entity. Files count
 * Unicode code points (see formats/offsets.ts).
 */

/** A span of a document's text with its type. */
export interface Entity {
  /** UTF-16 offset of the first code unit. */
  start: number;
  /** UTF-16 offset behind the last code unit. */
  end: number;
  type: string;
  /** 0…1, on predictions: product over the span's tokens of the softmax over the tokens allowed (method.md, Decoding). */
  probability?: number;
}

/** Text that a model gave as an entity but that is not in the sentence: it counts as a false positive. */
export interface Hallucination {
  type: string;
  text: string;
}

export interface Document {
  id: string;
  text: string;
  entities: Entity[];
  /** The corpus's own tokens as UTF-16 ranges, in text order and apart from each other, where the corpus has them. */
  words?: readonly (readonly [number, number])[];
  /** Spans that a model suggested and a person refused or corrected: error feedback for DPO (method.md, Stage 3). */
  rejected?: readonly Entity[];
  /** On predictions only. */
  hallucinated?: readonly Hallucination[];
  /** Fields of the source file that mean nothing here; kept so that they can be written back. */
  extra?: Readonly<Record<string, unknown>>;
}

/** A type of entity and what the prompt says it refers to. A list of these keeps the order of the types. */
export interface EntityType {
  name: string;
  definition: string;
}

/** Order by start, then the longer span first, then type: the order in which entities are written. */
export function compareEntities(a: Entity, b: Entity): number {
  return a.start - b.start || b.end - a.end || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
}

/**
 * What is wrong with a document, as one sentence that names it, or null. Overlapping and nested entities are sound (a
 * format that cannot hold them says so when it writes); the same span twice with the same type is not.
 */
export function documentError(document: Document): string | null {
  const { id, text, entities, rejected = [], words } = document;
  if (!isPrintableName(id)) return `expected an id without line breaks and not empty, got ${JSON.stringify(id)}`;
  const where = `document "${id}"`;
  if (words !== undefined) {
    let last = 0;
    for (const [index, [start, end]] of words.entries()) {
      const problem = rangeError(text, start, end) ?? (start < last ? "starts before the word before it ends" : null);
      if (problem !== null) return `${where}: word ${index} (${start}–${end}) ${problem}`;
      last = end;
    }
  }
  const problem = listProblem(text, "entity", entities) ?? listProblem(text, "rejected span", rejected);
  return problem === null ? null : `${where}: ${problem}`;
}

/**
 * What readers refuse: a wrong document, and a span of white space only, for which an answer has nothing to write between
 * <<< and >>>. Writers take such spans, so that documents from before this rule can be exported.
 */
export function readingError(document: Document): string | null {
  return documentError(document) ?? blankSpanError(document);
}

function blankSpanError({ id, text, entities, rejected = [] }: Document): string | null {
  for (const [name, spans] of [
    ["entity", entities],
    ["rejected span", rejected],
  ] as const) {
    const index = spans.findIndex(({ start, end }) => text.slice(start, end).trim() === "");
    const span = spans[index];
    if (span !== undefined) {
      const what = `${name} ${index} (${span.start}–${span.end}, ${span.type})`;
      return `document "${id}": ${what} covers white space only: expected at least one character of text (correct or delete it)`;
    }
  }
  return null;
}

function listProblem(text: string, name: string, entities: readonly Entity[]): string | null {
  const seen = new Set<string>();
  for (const [index, { start, end, type }] of entities.entries()) {
    const what = `${name} ${index} (${start}–${end}, ${type})`;
    if (!isPrintableName(type) || type !== type.trim()) {
      return `${what}: expected the name of a type, without spaces around it or line breaks, got ${JSON.stringify(type)}`;
    }
    const problem = rangeError(text, start, end);
    if (problem !== null) return `${what} ${problem}`;
    const key = `${start} ${end} ${type}`;
    if (seen.has(key)) return `${what} is given twice (delete one of the two)`;
    seen.add(key);
  }
  return null;
}

function rangeError(text: string, start: number, end: number): string | null {
  const problem = rangeProblem(text.length, "UTF-16 units", start, end);
  if (problem !== null) return problem;
  const cut = [start, end].find((offset) => splitsSurrogatePair(text, offset));
  return cut === undefined ? null : `cuts a character in two at ${cut} (inside a surrogate pair)`;
}

/** What is wrong with a range of a text that is `length` units long, or null. */
export function rangeProblem(length: number, unit: string, start: number, end: number): string | null {
  if (!Number.isInteger(start) || !Number.isInteger(end)) return "has offsets that are no whole numbers";
  if (start < 0 || end > length) return `lies outside the text, which is ${length} ${unit} long`;
  return end <= start ? "is empty: expected an end greater than the start" : null;
}

/** Whether a UTF-16 offset lies between the two halves of one character. */
export function splitsSurrogatePair(text: string, offset: number): boolean {
  if (offset <= 0 || offset >= text.length) return false;
  return (text.charCodeAt(offset - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(offset) & 0xfc00) === 0xdc00;
}

/** Names stand on one line of a file or table. */
function isPrintableName(name: string): boolean {
  return name !== "" && !/[\t\n\r]/.test(name);
}
