// What the formats of one JSON object a line have in common.
import * as v from "valibot";
import { readingError, type Document } from "../ner/document.ts";
import { checkDocument, type ParseResult, type WriteResult } from "./format.ts";

/** How many lines are looked at to tell what a file is. */
const LINES_TO_DETECT = 20;

/** The objects on the first lines; lines that are no JSON object are passed over, so that a broken one hides nothing. */
export function firstObjects(text: string): Record<string, unknown>[] {
  const objects: Record<string, unknown>[] = [];
  let seen = 0;
  for (const [, line] of textLines(text)) {
    if (seen++ === LINES_TO_DETECT) break;
    if (!/^\s*\{/.test(line)) continue;
    try {
      objects.push(JSON.parse(line) as Record<string, unknown>); // it starts with a brace
    } catch {
      // Reported when the file is parsed.
    }
  }
  return objects;
}

/**
 * Reads one document from each line that is not blank. `toDocument` gets the line's object as `schema` describes it and
 * returns the document, or a sentence that says what is wrong with it.
 */
export function parseJsonLines<Schema extends v.GenericSchema>(
  text: string,
  schema: Schema,
  toDocument: (value: v.InferOutput<Schema>, line: number) => Document | string,
): Pick<ParseResult, "documents" | "errors"> {
  const documents: Document[] = [];
  const errors: string[] = [];
  const lineOfId = new Map<string, number>();
  for (const [line, content] of textLines(text)) {
    const result = parseLine(content, schema);
    const document = typeof result === "string" ? result : toDocument(result.value, line);
    const problem = typeof document === "string" ? document : readingError(document);
    if (typeof document === "string" || problem !== null) {
      errors.push(`line ${line}: ${problem}`);
      continue;
    }
    const earlier = lineOfId.get(document.id);
    if (earlier === undefined) {
      lineOfId.set(document.id, line);
      documents.push(document);
    } else {
      errors.push(`line ${line}: expected an id of its own, got "${document.id}", which line ${earlier} has already`);
    }
  }
  return { documents, errors };
}

function parseLine<Schema extends v.GenericSchema>(
  content: string,
  schema: Schema,
): { value: v.InferOutput<Schema> } | string {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    return `expected one JSON object, got text that is not JSON (${error instanceof Error ? error.message : "unreadable"})`;
  }
  if (Array.isArray(value)) return "expected one JSON object, got a list"; // valibot takes a list for an object
  const result = v.safeParse(schema, value);
  return result.success ? { value: result.output } : describeIssue(result.issues[0]);
}

/** "expected number at entities.0.start, got "7"". */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const key = issue.path?.at(-1)?.key;
  const isMissing = issue.received === "undefined" && issue.expected === JSON.stringify(key);
  const expected = isMissing ? "a field" : (issue.expected ?? issue.message);
  return `expected ${expected}${path === null ? "" : ` at ${path}`}, got ${isMissing ? "none" : issue.received}`;
}

/** The lines that are not blank, with their numbers from 1. Only \n ends a line: JSON text may hold U+2028 as it is. */
function* textLines(text: string): Generator<[number, string]> {
  for (let start = 0, line = 1; start < text.length; line++) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const content = text.slice(start, end);
    if (content.trim() !== "") yield [line, content];
    start = end + 1;
  }
}

/**
 * One object a line, with a newline at the end of each: the format's own fields, then the document's further ones. Of
 * those, any that would be read as one of the format's `ownFields` is left out and named.
 * @throws FormatError for an unsound document.
 */
export function writeJsonLines(
  documents: readonly Document[],
  ownFields: readonly string[],
  toObject: (document: Document) => object,
): WriteResult {
  const warnings: string[] = [];
  const lines = documents.map((document) => {
    checkDocument(document);
    const kept = Object.entries(document.extra ?? {}).filter(([field]) => {
      const isLost = ownFields.includes(field);
      if (isLost) warnings.push(`document "${document.id}": its field ${field} is not kept`);
      return !isLost;
    });
    return `${JSON.stringify({ ...toObject(document), ...Object.fromEntries(kept) })}\n`;
  });
  return { text: lines.join(""), warnings };
}
