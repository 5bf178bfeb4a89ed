// Which source corpora are learned from, and how their types are defined; kept for the next visit.

import { create } from "zustand";
import type { EntityType } from "../../ner/document.ts";
import type { CorpusRecord } from "../../storage/database.ts";
import { ask } from "../stores/engineStore.ts";

const DEFINITIONS_KEY = "obp.sourceTypes";
const LEFT_OUT_KEY = "obp.corporaLeftOut";
/** How long a deleted corpus can be had back. */
const UNDO_MS = 20_000;

interface SourceState {
  /** By the type's name. */
  definitions: Readonly<Record<string, string>>;
  /** Ids of corpora that take no part. */
  leftOut: readonly string[];
  /** Deleted, and still to be had back. */
  deleted: CorpusRecord | null;
  define(types: readonly EntityType[]): void;
  setDefinitions(definitions: Readonly<Record<string, string>>): void;
  choose(id: string, chosen: boolean): void;
  /** Takes effect when the time for undoing it is over, or another one is deleted. */
  remove(corpus: CorpusRecord): void;
  undoRemove(): void;
  finishRemove(): Promise<void>;
}

let timer: ReturnType<typeof setTimeout> | undefined;

export const useSource = create<SourceState>()((set, get) => ({
  definitions: read(DEFINITIONS_KEY, isDefinitions) ?? {},
  leftOut: read(LEFT_OUT_KEY, isNames) ?? [],
  deleted: null,
  define(types) {
    const added = Object.fromEntries(types.map(({ name, definition }) => [name, definition]));
    get().setDefinitions({ ...get().definitions, ...added });
  },
  setDefinitions(definitions) {
    localStorage.setItem(DEFINITIONS_KEY, JSON.stringify(definitions));
    set({ definitions });
  },
  choose(id, chosen) {
    const others = get().leftOut.filter((other) => other !== id);
    const leftOut = chosen ? others : [...others, id];
    localStorage.setItem(LEFT_OUT_KEY, JSON.stringify(leftOut));
    set({ leftOut });
  },
  remove(corpus) {
    void get().finishRemove();
    timer = setTimeout(() => void get().finishRemove(), UNDO_MS);
    set({ deleted: corpus });
  },
  undoRemove() {
    clearTimeout(timer);
    set({ deleted: null });
  },
  async finishRemove() {
    const { deleted } = get();
    if (deleted === null) return;
    clearTimeout(timer);
    await ask((client) => client.deleteCorpus(deleted.id));
    get().choose(deleted.id, true); // forgets it
    if (get().deleted?.id === deleted.id) set({ deleted: null });
  },
}));

/** What was kept; null where nothing was, or something else. */
function read<T>(key: string, isSound: (value: unknown) => value is T): T | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    return isSound(value) ? value : null;
  } catch {
    return null;
  }
}

function isDefinitions(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}
