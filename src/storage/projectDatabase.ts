// Loads and saves the project. Saving writes the difference between two states: projects are immutable values that share
// unchanged documents, so that comparing references finds exactly what an edit touched.

import { studioDatabase, type ProjectHead } from "./database.ts";
import type { Project, ProjectDocument } from "./project.ts";
import { StorageError, storageFailure } from "./storageError.ts";

const CURRENT = "current";

/** Requests made in one go: thousands at once (a large import) would hold up the page. */
const REQUESTS_AT_ONCE = 100;

export async function loadProject(): Promise<Project | null> {
  const database = await studioDatabase();
  const transaction = database.transaction(["project", "documents"]);
  const head = await transaction.objectStore("project").get(CURRENT);
  if (head === undefined) return null;
  const byId = new Map(
    (await transaction.objectStore("documents").getAll()).map((document) => [document.id, document]),
  );
  const documents = head.order.map((id) => {
    const document = byId.get(id);
    if (document === undefined) {
      throw new StorageError(
        `expected document "${id}" in the saved project, got none (export what is there, then load the sample project)`,
      );
    }
    return document;
  });
  return { name: head.name, types: head.types, documents };
}

/** Writes in one transaction what differs between `before` (null: nothing saved yet) and `after`. */
export async function saveProject(before: Project | null, after: Project): Promise<void> {
  const changes = projectChanges(before, after);
  try {
    const database = await studioDatabase();
    const transaction = database.transaction(["project", "documents"], "readwrite");
    const documents = transaction.objectStore("documents");
    const write = async (): Promise<void> => {
      if (before === null) await documents.clear();
      await inBatches(changes.put, (document) => documents.put(document));
      await inBatches(changes.deleted, (id) => documents.delete(id));
      if (changes.head !== null) await transaction.objectStore("project").put(changes.head, CURRENT);
    };
    await Promise.all([write(), transaction.done]);
  } catch (error) {
    throw storageFailure(error, "the project");
  }
}

async function inBatches<T>(items: readonly T[], request: (item: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += REQUESTS_AT_ONCE) {
    await Promise.all(items.slice(at, at + REQUESTS_AT_ONCE).map(request));
  }
}

export interface ProjectChanges {
  put: ProjectDocument[];
  deleted: string[];
  /** Null where name, types and the order of documents are as before. */
  head: ProjectHead | null;
}

export function projectChanges(before: Project | null, after: Project): ProjectChanges {
  const earlier = new Map(before?.documents.map((document) => [document.id, document]));
  const put = after.documents.filter((document) => earlier.get(document.id) !== document);
  for (const { id } of after.documents) earlier.delete(id);
  const sameOrder =
    before !== null &&
    before.documents.length === after.documents.length &&
    before.documents.every((document, index) => document.id === after.documents[index]?.id);
  const sameHead = sameOrder && before.name === after.name && before.types === after.types;
  return {
    put,
    deleted: [...earlier.keys()],
    head: sameHead ? null : { name: after.name, types: after.types, order: after.documents.map(({ id }) => id) },
  };
}
