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
  const { id, text, entities, words } = document;
  const where = `document "${id}"`;
  if (words !== undefined) {
    let last = 0;
    for (const [index, [start, end]] of words.entries()) {
      const problem = rangeProblem(text, start, end) ?? (start < last ? "starts before the word before it ends" : null);
      if (problem !== null) return `${where}: word ${index} (${start}–${end}) ${problem}`;
      last = end;
    }
  }
  const seen = new Set<string>();
  for (const [index, { start, end, type }] of entities.entries()) {
    const what = `${where}: entity ${index} (${start}–${end}, ${type})`;
    if (type === "") return `${what}: expected the name of a type, got an empty one`;
    const problem = rangeProblem(text, start, end);
    if (problem !== null) return `${what} ${problem}`;
    const key = `${start} ${end} ${type}`;
    if (seen.has(key)) return `${what} is given twice (delete one of the two)`;
    seen.add(key);
  }
  return null;
}

function rangeProblem(text: string, start: number, end: number): string | null {
  if (!Number.isInteger(start) || !Number.isInteger(end)) return "expected whole numbers as offsets";
  if (start < 0 || end > text.length) return `lies outside the text, which is ${text.length} UTF-16 units long`;
  if (end <= start) return "is empty: expected an end greater than the start";
  for (const offset of [start, end]) {
    if (splitsSurrogatePair(text, offset)) return `cuts a character in two at ${offset} (inside a surrogate pair)`;
  }
  return null;
}

/** Whether a UTF-16 offset lies between the two halves of one character. */
export function splitsSurrogatePair(text: string, offset: number): boolean {
  if (offset <= 0 || offset >= text.length) return false;
  return (text.charCodeAt(offset - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(offset) & 0xfc00) === 0xdc00;
}
