// Where the annotator is: the token cursor, the entity in hand, the type that the mouse gives, the list's filters.

import { create } from "zustand";
import type { Entity } from "../../ner/document.ts";
import { segmentWords } from "../../ner/words.ts";
import type { SuggestionRecord } from "../../storage/database.ts";
import type { Project, ProjectDocument, Split } from "../../storage/project.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { sameEntity, type Word } from "./edits.ts";
import { modelDisagrees, openSuggestions, type Mark } from "./suggestions.ts";

/** `disagrees`: those that a model was asked for suggestions of, and read otherwise. */
export type StatusFilter = "all" | "open" | "done" | "disagrees";

interface LabelState {
  /** Word indices; equal when nothing is selected. The head moves. */
  anchor: number;
  head: number;
  /** The entity or suggestion picked with the mouse or a key; edits go to it. */
  picked: Entity | null;
  /** Index into the project's types: what dragging over words gives. */
  activeType: number;
  split: Split;
  search: string;
  status: StatusFilter;
  typeFilter: string | null;
  /** On a narrow page, where it is folded away by default. */
  listOpen: boolean;
}

export const useLabel = create<LabelState>()(() => ({
  anchor: 0,
  head: 0,
  picked: null,
  activeType: 0,
  split: "train",
  search: "",
  status: "all",
  typeFilter: null,
  listOpen: false,
}));

/** Moves the token cursor; without `anchor` the selection collapses to it. */
export function setCursor(head: number, anchor: number = head): void {
  useLabel.setState({ head, anchor, picked: null });
}

/** Takes an entity or suggestion in hand, with the cursor at its first word. */
export function pick(document: ProjectDocument, entity: Entity): void {
  const word = wordsOf(document).findIndex(([, end]) => end > entity.start);
  useLabel.setState({ picked: entity, anchor: word, head: word });
}

/** The documents that the list shows, in order. */
export function filteredDocuments(
  { documents, types }: Project,
  filter: LabelState,
  suggestions: ReadonlyMap<string, SuggestionRecord>,
): ProjectDocument[] {
  const search = filter.search.trim().toLowerCase();
  const hasStatus = (document: ProjectDocument): boolean =>
    filter.status === "disagrees"
      ? modelDisagrees(document, suggestions.get(document.id), types)
      : filter.status === "all" || document.done === (filter.status === "done");
  return documents.filter(
    (document) =>
      document.split === filter.split &&
      hasStatus(document) &&
      (filter.typeFilter === null || document.entities.some(({ type }) => type === filter.typeFilter)) &&
      (search === "" || document.text.toLowerCase().includes(search) || document.id.toLowerCase().includes(search)),
  );
}

/** The documents that the list shows now. */
export function listedDocuments(): ProjectDocument[] {
  const { project } = useProject.getState();
  return project === null ? [] : filteredDocuments(project, useLabel.getState(), useEngine.getState().suggestions);
}

const wordCache = new WeakMap<ProjectDocument, readonly Word[]>();

export function wordsOf(document: ProjectDocument): readonly Word[] {
  let words = wordCache.get(document);
  if (words === undefined) {
    words = segmentWords(document);
    wordCache.set(document, words);
  }
  return words;
}

/** The document on screen: the one in the URL, else the first that the list shows. */
export function currentDocument(): ProjectDocument | null {
  const { documentId } = useView.getState();
  const named = useProject.getState().project?.documents.find(({ id }) => id === documentId);
  return named ?? listedDocuments()[0] ?? null;
}

/** As `currentDocument`, for what is drawn. */
export function useCurrentDocument(): ProjectDocument | null {
  const project = useProject((state) => state.project);
  const documentId = useView((state) => state.documentId);
  const filter = useLabel();
  const suggestions = useEngine((state) => state.suggestions);
  if (project === null) return null;
  const named = project.documents.find(({ id }) => id === documentId);
  return named ?? filteredDocuments(project, filter, suggestions)[0] ?? null;
}

/** The suggestions for a document that wait for an answer. */
export function suggestionsFor(document: ProjectDocument): readonly Entity[] {
  const types = useProject.getState().project?.types ?? [];
  return openSuggestions(document, useEngine.getState().suggestions.get(document.id), types);
}

export interface Selection {
  start: number;
  end: number;
  firstWord: number;
  lastWord: number;
}

/** The words selected, as a span of the text; null in a text without words. */
export function selectedSpan(document: ProjectDocument, state: LabelState): Selection | null {
  const words = wordsOf(document);
  const clamp = (index: number): number => Math.min(Math.max(index, 0), words.length - 1);
  const firstWord = clamp(Math.min(state.anchor, state.head));
  const lastWord = clamp(Math.max(state.anchor, state.head));
  const first = words[firstWord];
  const last = words[lastWord];
  return first === undefined || last === undefined ? null : { start: first[0], end: last[1], firstWord, lastWord };
}

/**
 * What edits go to: the mark picked, else the one selected exactly, else the shortest under the cursor; a label before a
 * suggestion of the same length.
 */
export function markInHand(document: ProjectDocument, marks: readonly Mark[], state: LabelState): Mark | null {
  const { picked } = state;
  const kept = picked === null ? undefined : marks.find((mark) => sameEntity(mark, picked));
  if (kept !== undefined) return kept;
  const span = selectedSpan(document, state);
  if (span === null) return null;
  const labelsFirst = marks.toSorted((a, b) => Number(a.suggested) - Number(b.suggested));
  const exact = labelsFirst.find(({ start, end }) => start === span.start && end === span.end);
  if (exact !== undefined || span.firstWord !== span.lastWord) return exact ?? null;
  const covering = labelsFirst.filter(({ start, end }) => start < span.end && span.start < end);
  return covering.sort((a, b) => a.end - a.start - (b.end - b.start))[0] ?? null;
}
