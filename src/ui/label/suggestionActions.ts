// What the keys and the mouse do with suggestions, and asking the model for them.

import { compareEntities, type Entity, type EntityType } from "../../ner/document.ts";
import type { ProjectDocument } from "../../storage/project.ts";
import { plural } from "../format.ts";
import { adapterInUse } from "../models/adapterFit.ts";
import { ask, useEngine } from "../stores/engineStore.ts";
import { editDocument, useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { addEntity, sameEntity } from "./edits.ts";
import { currentDocument, listedDocuments, markInHand, pick, suggestionsFor, useLabel } from "./labelStore.ts";
import { acceptAll, fixSuggestion, marksOf, refuse } from "./suggestions.ts";

/** Enter: makes the suggestion in hand a label; with none in hand, takes the first one. */
export function acceptInHand(): void {
  const document = currentDocument();
  if (document === null) return;
  const suggestions = suggestionsFor(document);
  const mark = markInHand(document, marksOf(document, suggestions), useLabel.getState());
  const [first] = suggestions;
  if (mark?.suggested === true) accept(document, mark);
  else if (first !== undefined) pick(document, first);
}

export function accept(document: ProjectDocument, suggestion: Entity): void {
  const others = suggestionsFor(document);
  editDocument(`accept ${nameOf(document, suggestion)}`, document.id, (before) => addEntity(before, suggestion));
  goOn(document, others, suggestion);
}

export function refuseSuggestion(document: ProjectDocument, suggestion: Entity): void {
  const others = suggestionsFor(document);
  editDocument(`reject ${nameOf(document, suggestion)}`, document.id, (before) => refuse(before, [suggestion]));
  goOn(document, others, suggestion);
}

/** Labels what the suggestion should have been. */
export function fix(document: ProjectDocument, suggestion: Entity, fixed: Entity): void {
  const suggestions = suggestionsFor(document);
  editDocument(`fix ${nameOf(document, suggestion)}`, document.id, (before) =>
    fixSuggestion(before, suggestion, fixed, suggestions),
  );
  useLabel.setState({ picked: fixed });
}

/** All of the document on screen, as one edit. */
export function acceptEvery(): void {
  const document = currentDocument();
  if (document === null) return;
  const suggestions = suggestionsFor(document);
  if (suggestions.length === 0) return;
  const name = `accept ${plural(suggestions.length, "suggestion")}`;
  editDocument(name, document.id, (before) => acceptAll(before, suggestions));
  useView.getState().notify("info", `Accepted ${plural(suggestions.length, "suggestion")}; undo takes them back`);
}

/** Takes the next suggestion in hand, after the last one the first; the answered one where none is left. */
function goOn(document: ProjectDocument, suggestions: readonly Entity[], answered: Entity): void {
  const others = suggestions.filter((other) => !sameEntity(other, answered));
  const next = others.find((other) => compareEntities(other, answered) > 0) ?? others[0];
  pick(document, next ?? answered);
}

function nameOf({ text }: ProjectDocument, { start, end, type }: Entity): string {
  return `${type} “${text.slice(start, end)}”`;
}

type EngineNow = Pick<ReturnType<typeof useEngine.getState>, "gpu" | "model" | "job">;

/** Why no model can be asked now, or null. */
export function suggestProblem({ gpu, model, job }: EngineNow): string | null {
  if (gpu.kind !== "ready") return "expected WebGPU for suggestions, got none";
  if (model.kind !== "open") return "expected an open model for suggestions, got none (open one under Models)";
  return job === null ? null : `expected no job to be running, got “${job.name}” (wait for it, or stop it)`;
}

export function suggestHere(): void {
  const document = currentDocument();
  if (document !== null) suggest(document.done ? [] : [document]);
}

/** For the list's documents that are not done, from the one on screen on. */
export function suggestForOpen(): void {
  const open = listedDocuments().filter(({ done }) => !done);
  const current = currentDocument();
  const at = open.findIndex(({ id }) => id === current?.id);
  suggest(at <= 0 ? open : [...open.slice(at), ...open.slice(0, at)]);
}

function suggest(documents: readonly ProjectDocument[]): void {
  const types = useProject.getState().project?.types ?? [];
  const state = useEngine.getState();
  const problem = suggestProblem(state) ?? nothingToAsk(documents, types);
  if (problem !== null) {
    useView.getState().notify("error", problem);
    return;
  }
  const adapter = adapterInUse(state)?.id ?? null;
  void ask((client) => client.suggest({ adapter, documents, types }));
}

function nothingToAsk(documents: readonly ProjectDocument[], types: readonly EntityType[]): string | null {
  if (types.length === 0) return "expected at least one type to suggest, got none (add one to the types)";
  return documents.length > 0
    ? null
    : "expected a document that is not done, got none (suggestions are for open documents)";
}
