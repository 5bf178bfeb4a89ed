// What a project is, as kept in the browser: the documents with their labels, and the types with their definitions.

import type { Document, EntityType } from "../ner/document.ts";

/** `train` is the support set that the model learns from; `heldout` is only ever predicted and scored. */
export const SPLITS = ["train", "heldout"] as const;
export type Split = (typeof SPLITS)[number];

export interface ProjectDocument extends Document {
  split: Split;
  /** Said by a person to be labelled to the end. A document without entities counts as "no entities" only when done. */
  done: boolean;
}

export interface Project {
  name: string;
  /** Order is the order of the number keys and of the prompts. */
  types: readonly EntityType[];
  /** Ids are unique within a project. */
  documents: readonly ProjectDocument[];
}
