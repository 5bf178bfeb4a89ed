// How the plane is looked at, what its points' marks stand for, and which points are selected.

import { create } from "zustand";
import type { SpacePoint } from "../../worker/protocol.ts";
import { type PlaneView, WHOLE } from "./planeView.ts";

export const MARKED_BY = ["type", "correctness", "document"] as const;
export type MarkedBy = (typeof MARKED_BY)[number];

interface SpaceState {
  view: PlaneView;
  /** What dragging does; with Shift it is always the lasso. */
  tool: "move" | "lasso";
  markedBy: MarkedBy;
  /** Indices into `of`: nothing is selected among other points. */
  selected: ReadonlySet<number>;
  of: readonly SpacePoint[];
}

export const useSpace = create<SpaceState>()(() => ({
  ...{ view: WHOLE, tool: "move", markedBy: "type", selected: new Set(), of: [] },
}));

const NONE: ReadonlySet<number> = new Set();

/** Of these points. */
export function useSelected(points: readonly SpacePoint[]): ReadonlySet<number> {
  return useSpace(({ of, selected }) => (of === points ? selected : NONE));
}

/** @param how `add` to what is selected; `toggle`: what is selected among them is no longer */
export function select(
  points: readonly SpacePoint[],
  indices: readonly number[],
  how: "instead" | "add" | "toggle",
): void {
  const { of, selected } = useSpace.getState();
  const next = new Set(how === "instead" || of !== points ? [] : selected);
  for (const index of indices) {
    if (how === "toggle" && next.has(index)) next.delete(index);
    else next.add(index);
  }
  useSpace.setState({ of: points, selected: next });
}
