// What Inspect looks at, beyond what the URL holds, and what was read of the model last.

import { create } from "zustand";
import type {
  AttentionDrawn,
  AttentionPaint,
  AttentionView,
  ContrastiveCosines,
  HeadsView,
  SpacePoint,
  SpaceView,
} from "../../worker/protocol.ts";

/** A question to the model. Keys say what was asked, so that an answer to another question is known as such. */
export interface Look<T> {
  /** The last answer; it stays while the next one is read. */
  shown: { key: string; value: T } | null;
  reading: string | null;
  /** Why there is no answer; null as the message: stopped by the user. */
  failed: { key: string; message: string | null } | null;
}

export interface Cell {
  row: number;
  column: number;
  /** Stays while the pointer moves on. */
  locked: boolean;
}

export interface SpaceSettings {
  method: "tsne" | "pca";
  representation: "key" | "hidden";
  /** As typed; empty: what suits the number of points. */
  perplexity: string;
  iterations: number;
  seed: number;
  start: "pca" | "random";
}

/** Points and where they stand by now; `positions` of each state (points, 2). */
export interface SpaceNow {
  points: readonly SpacePoint[];
  names: readonly string[];
  found: number;
  leftOut: readonly string[];
  perplexity: number;
  iteration: number;
  total: number;
  positions: readonly Float32Array[];
}

interface InspectState {
  drawn: AttentionDrawn;
  /** Cells as large as their tokens need, or as small as the panel asks. */
  readable: boolean;
  /** Times that size, from 1. */
  zoom: number;
  cell: Cell | null;
  attention: Look<AttentionView>;
  /** Colours of the answer shown. */
  paint: AttentionPaint | null;
  cosines: Look<readonly ContrastiveCosines[]>;
  heads: Look<HeadsView>;
  /** The head in hand among those of all layers. */
  headCell: { layer: number; head: number } | null;
  spaceSettings: SpaceSettings;
  space: Look<SpaceView>;
  spaceNow: SpaceNow | null;
  /** Index of the point in hand. */
  point: number | null;
}

const NOTHING = { shown: null, reading: null, failed: null } as const;

export const useInspect = create<InspectState>()(() => ({
  drawn: { scale: "linear", hideFirst: true, difference: false },
  readable: false,
  zoom: 1,
  cell: null,
  attention: NOTHING,
  paint: null,
  cosines: NOTHING,
  heads: NOTHING,
  headCell: null,
  spaceSettings: { method: "tsne", representation: "key", perplexity: "", iterations: 1000, seed: 42, start: "pca" },
  space: NOTHING,
  spaceNow: null,
  point: null,
}));

useInspect.subscribe(({ paint }, before) => {
  if (paint !== before.paint) dropImages(before.paint);
});

/** Maps that are shown no more give their memory back at once: the browser does not know how large they are. */
export function dropImages(paint: AttentionPaint | null | undefined): void {
  // In the second frame from here on nothing draws them.
  const drop = (): void => paint?.panels.forEach(({ images }) => images.forEach((image) => image.close()));
  requestAnimationFrame(() => requestAnimationFrame(drop));
}

/** Asks, and keeps answer or failure under the question's key. */
export async function look<K extends "attention" | "cosines" | "heads" | "space">(
  name: K,
  key: string,
  ask: () => Promise<NonNullable<InspectState[K]["shown"]>["value"]>,
): Promise<boolean> {
  const set = (change: Partial<Look<unknown>>): void =>
    useInspect.setState((state) => ({ [name]: { ...state[name], ...change } }));
  set({ reading: key, failed: null });
  try {
    set({ shown: { key, value: await ask() }, reading: null });
    return true;
  } catch (error) {
    const stopped = error instanceof Error && error.name === "AbortError";
    const message = error instanceof Error ? error.message : String(error);
    set({ reading: null, failed: { key, message: stopped ? null : message } });
    return false;
  }
}
