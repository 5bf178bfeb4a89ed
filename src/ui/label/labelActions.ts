// What the keys and the mouse do in the Label workspace.

import type { Entity } from "../../ner/document.ts";
import type { ProjectDocument } from "../../storage/project.ts";
import type { PanelId } from "../panelIds.ts";
import { editDocument, useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { addEntity, nudged, removeEntity, replaceEntity, retypeEntity, type Edge } from "./edits.ts";
import {
  currentDocument,
  entityInHand,
  filteredDocuments,
  selectedSpan,
  setCursor,
  useLabel,
  wordsOf,
} from "./labelStore.ts";

function typeName(index: number): string | null {
  return useProject.getState().project?.types[index]?.name ?? null;
}

/** Gives the span a type and keeps it in hand, so that keys go on with it. */
export function labelSpan(document: ProjectDocument, start: number, end: number, type: string): void {
  const entity: Entity = { start, end, type };
  editDocument(`label “${document.text.slice(start, end)}” ${type}`, document.id, (before) =>
    addEntity(before, entity),
  );
  useLabel.setState({ picked: entity });
}

/** Digit keys: retypes the entity in hand, else labels the selected words. `stack` labels over what is there. */
export function applyType(index: number, stack = false): void {
  const document = currentDocument();
  const type = typeName(index);
  if (document === null || type === null) return;
  const state = useLabel.getState();
  const entity = stack ? null : entityInHand(document, state);
  useLabel.setState({ activeType: index });
  if (entity !== null) {
    editDocument(`change to ${type}`, document.id, (before) => retypeEntity(before, entity, type));
    useLabel.setState({ picked: { ...entity, type } });
    return;
  }
  const span = selectedSpan(document, state);
  if (span !== null) labelSpan(document, span.start, span.end, type);
}

export function removeInHand(): void {
  const document = currentDocument();
  const entity = document === null ? null : entityInHand(document, useLabel.getState());
  if (document !== null && entity !== null) removeFrom(document, entity);
}

export function removeFrom(document: ProjectDocument, entity: Entity): void {
  const name = `remove ${entity.type} “${document.text.slice(entity.start, entity.end)}”`;
  editDocument(name, document.id, (before) => removeEntity(before, entity));
  useLabel.setState({ picked: null });
}

export function nudge(edge: Edge, by: -1 | 1): void {
  const document = currentDocument();
  if (document === null) return;
  const entity = entityInHand(document, useLabel.getState());
  const moved = entity === null ? null : nudged(document, wordsOf(document), entity, edge, by);
  if (entity === null || moved === null) return;
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

/** The entities of the text one after the other. */
export function pickEntity(by: -1 | 1): void {
  const document = currentDocument();
  if (document === null || document.entities.length === 0) return;
  const { entities } = document;
  const inHand = entityInHand(document, useLabel.getState());
  const at = inHand === null ? (by === 1 ? -1 : 0) : entities.indexOf(inHand);
  const entity = entities[(at + by + entities.length) % entities.length];
  if (entity === undefined) return;
  const word = wordsOf(document).findIndex(([, end]) => end > entity.start);
  useLabel.setState({ picked: entity, anchor: word, head: word });
}

/** Goes to the next or previous document of the list. */
export function stepDocument(by: -1 | 1): boolean {
  const { project } = useProject.getState();
  const document = currentDocument();
  if (project === null || document === null) return false;
  const list = filteredDocuments(project.documents, useLabel.getState());
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
  const { project } = useProject.getState();
  const document = currentDocument();
  if (project === null || document === null) return;
  // Found before the edit: with the filter "open" this document leaves the list.
  const list = filteredDocuments(project.documents, useLabel.getState());
  const next = list[list.findIndex(({ id }) => id === document.id) + 1];
  if (!document.done) editDocument(`mark ${document.id} done`, document.id, (before) => ({ ...before, done: true }));
  if (next === undefined) useView.getState().notify("info", "End of the list: every document shown has been seen");
  else openDocument(next.id);
}

export function toggleDone(document: ProjectDocument): void {
  const name = `mark ${document.id} ${document.done ? "open" : "done"}`;
  editDocument(name, document.id, (before) => ({ ...before, done: !before.done }));
}
