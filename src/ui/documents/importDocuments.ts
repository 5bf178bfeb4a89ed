// How documents from a file or from pasted text join the project. Pure.

import type { Document } from "../../ner/document.ts";
import type { Project, ProjectDocument, Split } from "../../storage/project.ts";

export interface ImportOptions {
  split: Split;
  /** In place of the split's documents, or after them. */
  mode: "add" | "replace";
  /** Whether the labels in the file count as finished. */
  done: boolean;
}

/** Types that the documents have and the project lacks, in order of appearance. */
export function newTypeNames(project: Project, documents: readonly Document[]): string[] {
  const known = new Set(project.types.map(({ name }) => name));
  const found = new Set(documents.flatMap(({ entities }) => entities.map(({ type }) => type)));
  return [...found].filter((name) => !known.has(name));
}

/** Adds the documents; an id that is taken gets a number behind it. New types come without a definition. */
export function withImported(project: Project, documents: readonly Document[], options: ImportOptions): Project {
  const kept =
    options.mode === "replace" ? project.documents.filter(({ split }) => split !== options.split) : project.documents;
  const taken = new Set(kept.map(({ id }) => id));
  const added = documents.map((document): ProjectDocument => {
    let id = document.id;
    for (let copy = 2; taken.has(id); copy++) id = `${document.id}-${copy}`;
    taken.add(id);
    return { ...document, id, split: options.split, done: options.done };
  });
  return {
    ...project,
    types: [...project.types, ...newTypeNames(project, documents).map((name) => ({ name, definition: "" }))],
    documents: [...kept, ...added],
  };
}

/** One document a line; empty lines are left out. */
export function documentsFromText(text: string): Document[] {
  const stamp = new Date().toISOString().slice(0, 16).replace(/[-:]/g, "").replace("T", "-");
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line, index) => ({ id: `text-${stamp}-${String(index + 1).padStart(3, "0")}`, text: line, entities: [] }));
}
