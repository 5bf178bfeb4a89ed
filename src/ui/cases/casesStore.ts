// Which sentences Cases lists. The two states that it compares are those of all of Inspect (inspectView.ts).

import { create } from "zustand";
import type { BoundaryErrorKind } from "../../ner/boundary.ts";
import type { CaseFilter } from "../../ner/cases.ts";

interface CasesState {
  filter: CaseFilter;
  /** With the filter `boundary`; null: any. */
  boundary: BoundaryErrorKind | null;
}

export const useCases = create<CasesState>()(() => ({ filter: "changed", boundary: null }));
