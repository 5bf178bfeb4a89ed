// What the keys and the mouse do in the Label workspace.

import type { Entity } from "../../ner/document.ts";
import type { ProjectDocument } from "../../storage/project.ts";
import type { PanelId } from "../panelIds.ts";
import { editDocument, useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { nudged, removeEntity, replaceEntity, retypeEntity, sameEntity, type Edge } from "./edits.ts";
import {
  currentDocument,
  listedDocuments,
  markInHand,
  pick,
  selectedSpan,
  setCursor,
  suggestionsFor,
  useLabel,
  wordsOf,
} from "./labelStore.ts";
import { accept, fix, refuseSuggestion } from "./suggestionActions.ts";
import { labelOver, marksOf, type Mark } from "./suggestions.ts";

function typeName(index: number): string | null {
  return useProject.getState().project?.types[index]?.name ?? null;
}

/** Gives the span a type and keeps it in hand, so that keys go on with it. */
export function labelSpan(document: ProjectDocument, start: number, end: number, type: string): void {
  const entity: Entity = { start, end, type };
  const suggestions = suggestionsFor(document);
  editDocument(`label “${document.text.slice(start, end)}” ${type}`, document.id, (before) =>
    labelOver(before, entity, suggestions),
  );
  useLabel.setState({ picked: entity });
}

function inHand(document: ProjectDocument): Mark | null {
  return markInHand(document, marksOf(document, suggestionsFor(document)), useLabel.getState());
}

/**
 * Digit keys: retypes the entity in hand, accepts the suggestion in hand under that type, else labels the selected words.
 * `stack` labels over what is there.
 */
export function applyType(index: number, stack = false): void {
  const document = currentDocument();
  const type = typeName(index);
  if (document === null || type === null) return;
  const state = useLabel.getState();
  const entity = stack ? null : inHand(document);
  useLabel.setState({ activeType: index });
  if (entity?.suggested === true) {
    if (entity.type === type) accept(document, entity);
    else fix(document, entity, { start: entity.start, end: entity.end, type });
    return;
  }
  if (entity !== null) {
    editDocument(`change to ${type}`, document.id, (before) => retypeEntity(before, entity, type));
    useLabel.setState({ picked: { ...entity, type } });
    return;
  }
  const span = selectedSpan(document, state);
  if (span !== null) labelSpan(document, span.start, span.end, type);
}

/** x: removes a label, refuses a suggestion. */
export function removeInHand(): void {
  const document = currentDocument();
  const mark = document === null ? null : inHand(document);
  if (document === null || mark === null) return;
  if (mark.suggested) refuseSuggestion(document, mark);
  else removeFrom(document, mark);
}

export function removeFrom(document: ProjectDocument, entity: Entity): void {
  const name = `remove ${entity.type} “${document.text.slice(entity.start, entity.end)}”`;
  editDocument(name, document.id, (before) => removeEntity(before, entity));
  useLabel.setState({ picked: null });
}

export function nudge(edge: Edge, by: -1 | 1): void {
  const document = currentDocument();
  if (document === null) return;
  const entity = inHand(document);
  const moved = entity === null ? null : nudged(document, wordsOf(document), entity, edge, by);
  if (entity === null || moved === null) return;
  if (entity.suggested) {
    fix(document, entity, moved);
    return;
  }
  editDocument(`move an edge of ${entity.type}`, document.id, (before) => replaceEntity(before, entity, moved));
  useLabel.setState({ picked: moved });
}

export function moveCursor(by: number, extend: boolean): void {
  const document = currentDocument();
  if (document === null) return;
  const { anchor, head } = useLabel.getState();
  const next = Math.min(Math.max(head + by, 0), Math.max(0, wordsOf(document).length - 1));
  setCursor(next, extend ? anchor : next);
}

/** The entities and suggestions of the text one after the other. */
export function pickMark(by: -1 | 1): void {
  const document = currentDocument();
  if (document === null) return;
  const marks = marksOf(document, suggestionsFor(document));
  const held = markInHand(document, marks, useLabel.getState());
  const at = held === null ? (by === 1 ? -1 : 0) : marks.findIndex((mark) => sameEntity(mark, held));
  const mark = marks[(at + by + marks.length) % marks.length];
  if (mark !== undefined) pick(document, mark);
}

/** Goes to the next or previous document of the list. */
export function stepDocument(by: -1 | 1): boolean {
  const document = currentDocument();
  if (document === null) return false;
  const list = listedDocuments();
  const at = list.findIndex(({ id }) => id === document.id);
  const next = list[at === -1 ? 0 : at + by];
  if (next === undefined) return false;
  openDocument(next.id);
  return true;
}

export function openDocument(id: string, panel: PanelId = "label"): void {
  setCursor(0);
  useView.getState().goTo(panel, id);
}

/** Space: this document is labelled to the end; on to the next one. */
export function doneAndNext(): void {
  const document = currentDocument();
  if (document === null) return;
  // Found before the edit: with the filter "open" this document leaves the list.
  const list = listedDocuments();
  const next = list[list.findIndex(({ id }) => id === document.id) + 1];
  if (!document.done) editDocument(`mark ${document.id} done`, document.id, (before) => ({ ...before, done: true }));
  if (next === undefined) useView.getState().notify("info", "End of the list: every document shown has been seen");
  else openDocument(next.id);
}

export function toggleDone(document: ProjectDocument): void {
  const name = `mark ${document.id} ${document.done ? "open" : "done"}`;
  editDocument(name, document.id, (before) => ({ ...before, done: !before.done }));
}
