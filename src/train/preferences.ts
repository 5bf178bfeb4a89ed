/**
 * Preference pairs of stage 3 (OBP-LLM, section 3.4; method.md, Stage 3): the gold response is chosen; rejected is one
 * with a boundary moved, or one that a model gave or with a span that an annotator refused (error feedback).
 */
import { boundaryEdits, type BoundaryEdit, type EditProblem } from "../ner/boundaryEdits.ts";
import type { Document, Entity, EntityType } from "../ner/document.ts";
import { promptText, responseText } from "../ner/prompt.ts";

/** Where the rejected response comes from: an edit of the gold one, or a wrong answer. */
export type PreferenceKind = BoundaryEdit | "feedback";

/** TRL's columns; responses without the end token. */
export interface Preference {
  /** Says in messages which pair it is. */
  readonly name: string;
  readonly prompt: string;
  readonly chosen: string;
  /** Never the chosen text. */
  readonly rejected: string;
  readonly kind: PreferenceKind;
}

/** A pair made from a document; its name is that of the training prompt: document id and type. */
export interface DocumentPreference extends Preference {
  /** Of the document. */
  readonly id: string;
  /** Name of the type asked for. */
  readonly type: string;
}

/** Also: the edited response reads as the gold one (sameText), or another pair of the prompt rejects it (duplicate). */
export type DropReason = EditProblem | "sameText" | "duplicate";

/** The pairs of all edits of all entities of these types, each edit counted that gives none. */
export function boundaryPreferences(
  documents: readonly Document[],
  types: readonly EntityType[],
  kinds: readonly BoundaryEdit[],
): { preferences: DocumentPreference[]; dropped: Record<DropReason, number> } {
  const all: DocumentPreference[] = [];
  const dropped = { outside: 0, empty: 0, gold: 0, overlap: 0, offWords: 0, sameText: 0, duplicate: 0 };
  for (const document of documents) {
    for (const type of types) {
      const edits = boundaryEdits(document, type.name, kinds);
      edits.dropped.forEach((problem) => dropped[problem]++);
      for (const { kind, entities } of edits.answers) {
        const preference = preferenceOf(document, type, entities, kind);
        // "Oslo" for "Oslo", where the sentence has the word twice: another place, the same response.
        if (preference === null) dropped.sameText++;
        else all.push(preference);
      }
    }
  }
  const preferences = uniquePreferences(all);
  dropped.duplicate = all.length - preferences.length;
  return { preferences, dropped };
}

/**
 * The pair that an answer to a document's prompt makes.
 * @param answered the spans answered; those of other types are left out; none: every entity was missed
 * @returns null where the answer reads as the gold one
 */
export function feedbackPreference(
  document: Document,
  type: EntityType,
  answered: readonly Entity[],
): DocumentPreference | null {
  return preferenceOf(document, type, answered, "feedback");
}

/** What a model answered to the prompts of a document (predict/predict.ts): spans, and types without an answer. */
interface Answered {
  readonly entities: readonly Entity[];
  readonly leftOut: readonly { readonly type: string; readonly tokens: number }[];
}

/** A pair for each prompt of a document that a model answered wrongly, and the prompts that it could not answer. */
export function wrongAnswers(
  document: Document,
  types: readonly EntityType[],
  { entities, leftOut }: Answered,
): { preferences: DocumentPreference[]; unanswered: { name: string; tokens: number }[] } {
  const answered = types.filter(({ name }) => !leftOut.some(({ type }) => type === name));
  return {
    preferences: answered.flatMap((type) => feedbackPreference(document, type, entities) ?? []),
    unanswered: leftOut.map(({ type, tokens }) => ({ name: `${document.id} / ${type}`, tokens })),
  };
}

/**
 * A pair for each span of these types that a person refused: rejected is the gold answer with that span in the place of
 * those it overlaps, for answers have no overlapping spans. None for a span that is gold after all.
 */
export function refusedPreferences(documents: readonly Document[], types: readonly EntityType[]): DocumentPreference[] {
  return documents.flatMap((document) =>
    types.flatMap((type) => {
      const gold = document.entities.filter((entity) => entity.type === type.name);
      const refused = (document.rejected ?? []).filter(
        (span) => span.type === type.name && !gold.some(({ start, end }) => start === span.start && end === span.end),
      );
      return refused.flatMap((span) => {
        const apart = gold.filter(({ start, end }) => end <= span.start || span.end <= start);
        return feedbackPreference(document, type, [...apart, span]) ?? [];
      });
    }),
  );
}

/** Of the pairs that reject the same response to the same prompt the first one. */
export function uniquePreferences<P extends Preference>(preferences: readonly P[]): P[] {
  const first = new Map<string, P>();
  for (const preference of preferences) {
    const key = JSON.stringify([preference.prompt, preference.rejected]);
    if (!first.has(key)) first.set(key, preference);
  }
  return [...first.values()];
}

function preferenceOf(
  { id, text, entities: gold }: Document,
  type: EntityType,
  answered: readonly Entity[],
  kind: PreferenceKind,
): DocumentPreference | null {
  const response = (entities: readonly Entity[]): string =>
    responseText(
      text,
      entities.filter((entity) => entity.type === type.name),
    );
  const [chosen, rejected] = [response(gold), response(answered)];
  if (chosen === rejected) return null;
  return { name: `${id} / ${type.name}`, prompt: promptText(text, type), chosen, rejected, kind, id, type: type.name };
}
