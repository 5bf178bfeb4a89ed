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
  undoStack: readonly Change[];
  redoStack: readonly Change[];
  saving: boolean;
  saveError: string | null;
  load(): Promise<void>;
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
    undoStack: [],
    redoStack: [],
    saving: false,
    saveError: null,

    async load() {
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

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
