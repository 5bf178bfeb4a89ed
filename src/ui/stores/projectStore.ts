// The project in hand: an immutable value with undo and redo. Every edit is saved to the browser's database at once.

import { create } from "zustand";
import type { Project, ProjectDocument } from "../../storage/project.ts";
import { loadProject, saveProject } from "../../storage/projectDatabase.ts";
import { fetchSampleProject } from "../sampleProject.ts";

/** Enough for a day of labelling; older states are let go. */
const MAX_UNDO = 1000;

interface Change {
  /** What was done, as shown beside undo. */
  label: string;
  /** The document that it shows in, so that undo can go there. */
  documentId: string | null;
  /** Edits in a row with the same key are one undo step (typing in a field). */
  mergeKey: string | null;
  before: Project;
  after: Project;
}

export interface EditOptions {
  documentId?: string;
  mergeKey?: string;
}

interface ProjectState {
  /** Null until loaded. */
  project: Project | null;
  loadError: string | null;
  /** Another tab has the project: two would overwrite each other's edits. */
  heldElsewhere: boolean;
  undoStack: readonly Change[];
  redoStack: readonly Change[];
  saving: boolean;
  saveError: string | null;
  /** Loads the project, unless another tab has it and `take` is not set. */
  load(take?: boolean): Promise<void>;
  /** Applies an edit; one that returns the same project changes nothing and leaves no undo step. */
  edit(label: string, change: (project: Project) => Project, options?: EditOptions): void;
  undo(): Change | null;
  redo(): Change | null;
}

let saved: Project | null = null;
let saveQueue: Promise<void> = Promise.resolve();

export const useProject = create<ProjectState>()((set, get) => {
  const persist = (project: Project): void => {
    set({ project, saving: true });
    saveQueue = saveQueue.then(async () => {
      try {
        await saveProject(saved, project);
        saved = project;
        set({ saveError: null });
      } catch (error) {
        set({ saveError: messageOf(error) });
      }
      if (get().project === project) set({ saving: false });
    });
  };

  return {
    project: null,
    loadError: null,
    heldElsewhere: false,
    undoStack: [],
    redoStack: [],
    saving: false,
    saveError: null,

    async load(take = false) {
      const isOurs = await holdProject(take, () => set({ project: null, heldElsewhere: true }));
      set({ heldElsewhere: !isOurs });
      if (!isOurs) return;
      try {
        const project = await loadProject();
        if (project === null) {
          persist(await fetchSampleProject());
        } else {
          saved = project;
          set({ project });
        }
      } catch (error) {
        set({ loadError: messageOf(error) });
      }
    },

    edit(label, change, options = {}) {
      const { project, undoStack } = get();
      if (project === null) return;
      const after = change(project);
      if (after === project) return;
      const mergeKey = options.mergeKey ?? null;
      const last = undoStack.at(-1);
      const merged = mergeKey !== null && last?.mergeKey === mergeKey && last.after === project;
      const step: Change = {
        label,
        documentId: options.documentId ?? null,
        mergeKey,
        before: merged ? last.before : project,
        after,
      };
      set({ undoStack: [...(merged ? undoStack.slice(0, -1) : undoStack), step].slice(-MAX_UNDO), redoStack: [] });
      persist(after);
    },

    undo() {
      const { undoStack, redoStack } = get();
      const step = undoStack.at(-1);
      if (step === undefined) return null;
      set({ undoStack: undoStack.slice(0, -1), redoStack: [...redoStack, step] });
      persist(step.before);
      return step;
    },

    redo() {
      const { undoStack, redoStack } = get();
      const step = redoStack.at(-1);
      if (step === undefined) return null;
      set({ redoStack: redoStack.slice(0, -1), undoStack: [...undoStack, step] });
      persist(step.after);
      return step;
    },
  };
});

/** Edits one document. */
export function editDocument(label: string, id: string, change: (document: ProjectDocument) => ProjectDocument): void {
  useProject.getState().edit(
    label,
    (project) => {
      const index = project.documents.findIndex((document) => document.id === id);
      const before = project.documents[index];
      if (before === undefined) return project;
      const after = change(before);
      return after === before ? project : { ...project, documents: project.documents.with(index, after) };
    },
    { documentId: id },
  );
}

/**
 * Takes the lock on the project for as long as the page is open.
 * @param take from another tab, if it has it
 * @param onTaken another tab took it from this one
 */
async function holdProject(take: boolean, onTaken: () => void): Promise<boolean> {
  return new Promise((resolve) => {
    const holding = navigator.locks.request("obp.project", take ? { steal: true } : { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      // Held until the page goes, or until the lock is taken away.
      return lock === null ? undefined : new Promise<never>(() => undefined);
    });
    holding.catch(onTaken);
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
