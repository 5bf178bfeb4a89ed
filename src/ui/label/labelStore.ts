// Where the annotator is: the token cursor, the entity in hand, the type that the mouse gives, the list's filters.

import { create } from "zustand";
import type { Entity } from "../../ner/document.ts";
import { segmentWords } from "../../ner/words.ts";
import type { ProjectDocument, Split } from "../../storage/project.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { sameEntity, type Word } from "./edits.ts";

export type StatusFilter = "all" | "open" | "done";

interface LabelState {
  /** Word indices; equal when nothing is selected. The head moves. */
  anchor: number;
  head: number;
  /** The entity picked with the mouse or a key; edits go to it. */
  picked: Entity | null;
  /** Index into the project's types: what dragging over words gives. */
  activeType: number;
  split: Split;
  search: string;
  status: StatusFilter;
  typeFilter: string | null;
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
}));

/** Moves the token cursor; without `anchor` the selection collapses to it. */
export function setCursor(head: number, anchor: number = head): void {
  useLabel.setState({ head, anchor, picked: null });
}

/** The documents that the list shows, in order. */
export function filteredDocuments(documents: readonly ProjectDocument[], filter: LabelState): ProjectDocument[] {
  const search = filter.search.trim().toLowerCase();
  return documents.filter(
    ({ split, done, text, id, entities }) =>
      split === filter.split &&
      (filter.status === "all" || done === (filter.status === "done")) &&
      (filter.typeFilter === null || entities.some(({ type }) => type === filter.typeFilter)) &&
      (search === "" || text.toLowerCase().includes(search) || id.toLowerCase().includes(search)),
  );
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
  const { project } = useProject.getState();
  if (project === null) return null;
  const { documentId } = useView.getState();
  return (
    project.documents.find(({ id }) => id === documentId) ??
    filteredDocuments(project.documents, useLabel.getState())[0] ??
    null
  );
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

/** The entity that edits go to: the picked one, else the one selected exactly, else the shortest under the cursor. */
export function entityInHand(document: ProjectDocument, state: LabelState): Entity | null {
  const { picked } = state;
  const kept = picked === null ? undefined : document.entities.find((entity) => sameEntity(entity, picked));
  if (kept !== undefined) return kept;
  const span = selectedSpan(document, state);
  if (span === null) return null;
  const exact = document.entities.find(({ start, end }) => start === span.start && end === span.end);
  if (exact !== undefined || span.firstWord !== span.lastWord) return exact ?? null;
  const covering = document.entities.filter(({ start, end }) => start < span.end && span.start < end);
  return covering.sort((a, b) => a.end - a.start - (b.end - b.start))[0] ?? null;
}
