/**
 * Cases (OBP-LLM, Fig. 6): what two states of a model predict for the same sentence, against its gold entities, and what
 * the second mended or spoiled.
 */
import { matchEntities, type BoundaryErrorKind, type Outcome } from "./boundary.ts";
import type { Document } from "./document.ts";

/** What one state of the model made of a sentence. */
export interface CaseAnswer {
  readonly predicted: Document;
  readonly outcomes: readonly Outcome[];
}

export interface Case {
  readonly gold: Document;
  readonly before: CaseAnswer;
  readonly after: CaseAnswer;
  /**
   * Gold entities that are exact after and were not before, and predictions that matched no gold entity before and are
   * gone.
   */
  readonly fixed: number;
  /** The reverse. */
  readonly broken: number;
  /** Whether the two predict anything differently. */
  readonly changed: boolean;
}

export const CASE_FILTERS = ["all", "changed", "fixed", "broken", "boundary"] as const;
export type CaseFilter = (typeof CASE_FILTERS)[number];

/** @param types what all were asked for: entities of others are left out */
export function caseOf(gold: Document, before: Document, after: Document, types: readonly string[]): Case {
  const [kept, first, second] = [ofTypes(gold, types), ofTypes(before, types), ofTypes(after, types)];
  const one = answerOf(kept, first);
  const two = answerOf(kept, second);
  const [said, saidAfter] = [keys(first), keys(second)];
  return {
    ...{ gold: kept, before: one, after: two },
    fixed: gained(one, two) + gone(one, saidAfter),
    broken: gained(two, one) + gone(two, said),
    changed: said.size !== saidAfter.size || [...said].some((key) => !saidAfter.has(key)),
  };
}

/** @param boundary with the filter `boundary`: which kind; null: any */
export function isShownCase(one: Case, filter: CaseFilter, boundary: BoundaryErrorKind | null): boolean {
  switch (filter) {
    case "all":
      return true;
    case "changed":
      return one.changed;
    case "fixed":
      return one.fixed > 0;
    case "broken":
      return one.broken > 0;
    case "boundary":
      return [one.before, one.after].some(({ outcomes }) =>
        outcomes.some((outcome) => outcome.kind === "BE" && (boundary === null || outcome.boundary === boundary)),
      );
  }
}

function ofTypes(document: Document, types: readonly string[]): Document {
  const isKept = ({ type }: { readonly type: string }): boolean => types.includes(type);
  const { entities, hallucinated = [] } = document;
  return { ...document, entities: entities.filter(isKept), hallucinated: hallucinated.filter(isKept) };
}

function answerOf(gold: Document, predicted: Document): CaseAnswer {
  return { predicted, outcomes: matchEntities({ gold, predicted }) };
}

interface Said {
  readonly start?: number;
  readonly end?: number;
  readonly type: string;
  readonly text?: string;
}

/** A span by its place, a hallucination by its text. */
function keyOf({ start, end, type, text }: Said): string {
  return JSON.stringify(start === undefined ? [type, text] : [start, end, type]);
}

function keys({ entities, hallucinated = [] }: Document): Set<string> {
  return new Set([...entities, ...hallucinated].map(keyOf));
}

/** Gold entities exact in `two` and not in `one`. */
function gained(one: CaseAnswer, two: CaseAnswer): number {
  const exact = new Set(one.outcomes.flatMap((outcome) => (outcome.kind === "TP" ? [keyOf(outcome.gold)] : [])));
  return two.outcomes.filter((outcome) => outcome.kind === "TP" && !exact.has(keyOf(outcome.gold))).length;
}

/** Predictions of nothing in gold that are not among `later`. */
function gone({ outcomes, predicted }: CaseAnswer, later: ReadonlySet<string>): number {
  const spurious = outcomes.flatMap((outcome) => (outcome.kind === "FP" ? [keyOf(outcome.predicted)] : []));
  const invented = (predicted.hallucinated ?? []).map(keyOf);
  return [...new Set([...spurious, ...invented])].filter((key) => !later.has(key)).length;
}
