// Which two states of the model Cases compares, and which sentences it lists.

import { create } from "zustand";
import type { BoundaryErrorKind } from "../../ner/boundary.ts";
import type { CaseFilter } from "../../ner/cases.ts";

interface CasesState {
  /** Adapters' ids, "" for the model as it came; null: the one in use, and what it was trained from. */
  before: string | null;
  after: string | null;
  filter: CaseFilter;
  /** With the filter `boundary`; null: any. */
  boundary: BoundaryErrorKind | null;
}

export const useCases = create<CasesState>()(() => ({ before: null, after: null, filter: "changed", boundary: null }));
