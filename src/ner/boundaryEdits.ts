/**
 * Wrong answers that differ from the gold one in the boundary of one entity (OBP-LLM, section 3.4; method.md, Stage 3):
 * its edges are moved by whole words, so that every edited span is a contiguous run of the sentence's words. An entity
 * whose edges lie inside words counts as all the words that it touches.
 */
import type { Document, Entity } from "./document.ts";
import { segmentWords, type Range } from "./words.ts";

export const BOUNDARY_EDITS = [
  "shift-left",
  "shift-right",
  "expand-left",
  "expand-right",
  "expand-both",
  "shrink-left",
  "shrink-right",
] as const;
export type BoundaryEdit = (typeof BOUNDARY_EDITS)[number];

export const DEFAULT_BOUNDARY_EDITS: readonly BoundaryEdit[] = ["shift-left", "shift-right", "expand-both"];

/** Words by which an edit moves the left and the right edge; to the right where positive. */
const MOVES: Readonly<Record<BoundaryEdit, readonly [left: number, right: number]>> = {
  "shift-left": [-1, -1],
  "shift-right": [1, 1],
  "expand-left": [-1, 0],
  "expand-right": [0, 1],
  "expand-both": [-1, 1],
  "shrink-left": [1, 0],
  "shrink-right": [0, -1],
};

export interface EditedAnswer {
  readonly kind: BoundaryEdit;
  /** The document's entities of the type, in the document's order, one of them edited. */
  readonly entities: readonly Entity[];
  /** Index in `entities` of the one that was edited. */
  readonly edited: number;
}

/**
 * Why an edit gives no answer: it leaves the sentence (outside), leaves no word of the span (empty), gives a gold span
 * of the same type (gold), or overlaps another gold entity of the same type (overlap); or the entity holds no word
 * (offWords).
 */
export type EditProblem = "outside" | "empty" | "gold" | "overlap" | "offWords";

/**
 * Every edit of every entity of a type, one edit of one entity an answer. An edit that overlaps another entity of the
 * answer is left out because the response grammar has no overlapping spans (spanAutomaton.ts): the model can never give
 * such an answer, so learning to avoid it would teach nothing.
 *
 * @returns `dropped`: one reason for each edit that gives no answer
 */
export function boundaryEdits(
  document: Pick<Document, "text" | "words" | "entities">,
  type: string,
  kinds: readonly BoundaryEdit[],
): { answers: EditedAnswer[]; dropped: EditProblem[] } {
  const words = segmentWords(document);
  const gold = document.entities.filter((entity) => entity.type === type);
  const answers: EditedAnswer[] = [];
  const dropped: EditProblem[] = [];
  for (const edited of gold.keys()) {
    for (const kind of kinds) {
      const span = editedSpan(words, gold, edited, kind);
      if (typeof span === "string") dropped.push(span);
      else answers.push({ kind, entities: gold.with(edited, span), edited });
    }
  }
  return { answers, dropped };
}

function editedSpan(
  words: readonly Range[],
  gold: readonly Entity[],
  edited: number,
  kind: BoundaryEdit,
): Entity | EditProblem {
  const entity = gold[edited];
  if (entity === undefined) throw new Error(`expected an entity to edit below ${gold.length}, got ${edited}`);
  const first = words.findIndex(([, end]) => end > entity.start);
  const last = words.findLastIndex(([start]) => start < entity.end);
  if (first < 0 || first > last) return "offWords";
  const [left, right] = MOVES[kind];
  if (first + left > last + right) return "empty";
  const start = words[first + left]?.[0];
  const end = words[last + right]?.[1];
  if (start === undefined || end === undefined) return "outside";
  if (gold.some((other) => other.start === start && other.end === end)) return "gold";
  const overlaps = gold.some((other, index) => index !== edited && other.start < end && start < other.end);
  return overlaps ? "overlap" : { start, end, type: entity.type };
}
