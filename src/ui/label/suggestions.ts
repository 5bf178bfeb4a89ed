// A model's suggestions for a document, and what a person makes of them. Pure. Which ones are open follows from the
// document alone, its labels and what it has rejected, so that undo brings a suggestion back and redo takes it away.

import { compareEntities, type Entity, type EntityType } from "../../ner/document.ts";
import type { SuggestionRecord } from "../../storage/database.ts";
import type { ProjectDocument } from "../../storage/project.ts";
import { addEntity, overlaps, sameEntity } from "./edits.ts";

/** A span as it is drawn and walked through: a label, or a suggestion that is none yet. */
export interface Mark extends Entity {
  suggested: boolean;
}

/** The suggestions that wait for an answer: none where the text has changed since, or the document is done. */
export function openSuggestions(
  document: ProjectDocument,
  record: SuggestionRecord | undefined,
  types: readonly EntityType[],
): readonly Entity[] {
  const { text, done, entities, rejected = [] } = document;
  if (record?.text !== text || done) return [];
  return record.entities.filter(
    (suggestion) =>
      types.some(({ name }) => name === suggestion.type) &&
      !rejected.some((other) => sameEntity(other, suggestion)) &&
      !entities.some((other) => other.type === suggestion.type && overlaps(other, suggestion)),
  );
}

/** Whether a model read the document otherwise than it is labelled: open suggestions, or labels that it did not find. */
export function modelDisagrees(
  document: ProjectDocument,
  record: SuggestionRecord | undefined,
  types: readonly EntityType[],
): boolean {
  if (record?.text !== document.text) return false;
  const missed = document.entities.some(
    (entity) => record.types.includes(entity.type) && !record.entities.some((found) => sameEntity(found, entity)),
  );
  return missed || openSuggestions(document, record, types).length > 0;
}

/** Labels and open suggestions in text order. */
export function marksOf({ entities }: ProjectDocument, suggestions: readonly Entity[]): Mark[] {
  return [
    ...entities.map((entity) => ({ ...entity, suggested: false })),
    ...suggestions.map((entity) => ({ ...entity, suggested: true })),
  ].sort(compareEntities);
}

/** Keeps spans as refused; those that are kept already change nothing. */
export function refuse(document: ProjectDocument, spans: readonly Entity[]): ProjectDocument {
  const { rejected = [] } = document;
  const added = spans.filter((span) => !rejected.some((other) => sameEntity(other, span)));
  if (added.length === 0) return document;
  const plain = added.map(({ start, end, type }) => ({ start, end, type }));
  return { ...document, rejected: [...rejected, ...plain].sort(compareEntities) };
}

/** Labels a span. Open suggestions of its type that it overlaps are thereby corrected: they are kept as refused. */
export function labelOver(document: ProjectDocument, entity: Entity, suggestions: readonly Entity[]): ProjectDocument {
  const labelled = addEntity(document, entity);
  if (labelled === document) return document;
  return refuse(
    labelled,
    suggestions.filter((other) => other.type === entity.type && overlaps(other, entity) && !sameEntity(other, entity)),
  );
}

/** Labels what a suggestion should have been, and keeps the suggestion as refused. */
export function fixSuggestion(
  document: ProjectDocument,
  suggestion: Entity,
  fixed: Entity,
  suggestions: readonly Entity[],
): ProjectDocument {
  const labelled = labelOver(document, fixed, suggestions);
  return sameEntity(suggestion, fixed) ? labelled : refuse(labelled, [suggestion]);
}

export function acceptAll(document: ProjectDocument, suggestions: readonly Entity[]): ProjectDocument {
  return suggestions.reduce(addEntity, document);
}
