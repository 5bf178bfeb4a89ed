// What can be done to the labels of a document. Pure: each takes a document and returns it changed, or the same one where
// there is nothing to change. Entities of different types may overlap and nest; of one type they may not.

import { compareEntities, splitsSurrogatePair, type Entity } from "../../ner/document.ts";
import type { Project, ProjectDocument } from "../../storage/project.ts";

export type Word = readonly [start: number, end: number];

export function sameEntity(a: Entity, b: Entity): boolean {
  return a.start === b.start && a.end === b.end && a.type === b.type;
}

export function overlaps(a: { start: number; end: number }, b: { start: number; end: number }): boolean {
  return a.start < b.end && b.start < a.end;
}

function withEntities(document: ProjectDocument, entities: Entity[]): ProjectDocument {
  return { ...document, entities: entities.sort(compareEntities) };
}

/** Adds an entity; those of the same type that it overlaps give way to it. A span that was refused is so no longer. */
export function addEntity(document: ProjectDocument, entity: Entity): ProjectDocument {
  const { text, entities, rejected } = document;
  if (entity.end <= entity.start || splitsSurrogatePair(text, entity.start) || splitsSurrogatePair(text, entity.end)) {
    return document;
  }
  if (text.slice(entity.start, entity.end).trim() === "") return document; // refused by every reader, as nothing to write
  if (entities.some((other) => sameEntity(other, entity))) return document;
  const kept = entities.filter((other) => other.type !== entity.type || !overlaps(other, entity));
  const added = withEntities(document, [...kept, { start: entity.start, end: entity.end, type: entity.type }]);
  if (rejected?.some((other) => sameEntity(other, entity)) !== true) return added;
  return { ...added, rejected: rejected.filter((other) => !sameEntity(other, entity)) };
}

export function removeEntity(document: ProjectDocument, entity: Entity): ProjectDocument {
  const kept = document.entities.filter((other) => !sameEntity(other, entity));
  return kept.length === document.entities.length ? document : withEntities(document, kept);
}

export function retypeEntity(document: ProjectDocument, entity: Entity, type: string): ProjectDocument {
  if (entity.type === type) return document;
  return addEntity(removeEntity(document, entity), { ...entity, type });
}

export type Edge = "start" | "end";

/**
 * The entity with one edge moved to the next word boundary to the left (−1) or right (+1), or null where that would
 * empty it, leave the text, or run into another entity of its type.
 */
export function nudged(
  document: ProjectDocument,
  words: readonly Word[],
  entity: Entity,
  edge: Edge,
  by: -1 | 1,
): Entity | null {
  const bounds = words.map(([start, end]) => (edge === "start" ? start : end));
  const bound = by === 1 ? bounds.find((at) => at > entity[edge]) : bounds.findLast((at) => at < entity[edge]);
  if (bound === undefined) return null;
  const moved: Entity = { start: entity.start, end: entity.end, type: entity.type, [edge]: bound };
  const others = document.entities.filter((other) => other.type === entity.type && !sameEntity(other, entity));
  return moved.end <= moved.start || others.some((other) => overlaps(other, moved)) ? null : moved;
}

export function replaceEntity(document: ProjectDocument, before: Entity, after: Entity): ProjectDocument {
  return addEntity(removeEntity(document, before), after);
}

/** How often each type occurs in documents that are done, of one split: the K of K-shot. */
export function typeCounts(documents: readonly ProjectDocument[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { done, entities } of documents) {
    if (!done) continue;
    for (const { type } of entities) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

/** Changes the labels of each document, and what it has rejected, where they have the type. */
function changeSpans(
  documents: readonly ProjectDocument[],
  name: string,
  change: (spans: readonly Entity[]) => Entity[],
): ProjectDocument[] {
  return documents.map((document) => {
    const { entities, rejected = [] } = document;
    if (![...entities, ...rejected].some(({ type }) => type === name)) return document;
    const changed = { ...document, entities: change(entities) };
    return rejected.length === 0 ? changed : { ...changed, rejected: change(rejected) };
  });
}

/** Renames a type everywhere; to a name that is in use or empty changes nothing. */
export function renameType(project: Project, from: string, to: string): Project {
  const name = to.trim();
  if (name === "" || project.types.some((type) => type.name === name)) return project;
  return {
    ...project,
    types: project.types.map((type) => (type.name === from ? { ...type, name } : type)),
    documents: changeSpans(project.documents, from, (spans) =>
      spans.map((span) => (span.type === from ? { ...span, type: name } : span)),
    ),
  };
}

/** Removes a type with its labels, and with what was refused of it. */
export function removeType(project: Project, name: string): Project {
  return {
    ...project,
    types: project.types.filter((type) => type.name !== name),
    documents: changeSpans(project.documents, name, (spans) => spans.filter(({ type }) => type !== name)),
  };
}
