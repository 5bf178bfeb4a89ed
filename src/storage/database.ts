// The studio's IndexedDB. Large bytes (models, adapter weights) lie in OPFS (opfs.ts); a record here names them, and
// only a named file counts, so that a write cut short never shows up as a broken model or adapter.

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Document, EntityType } from "../ner/document.ts";
import type { ProjectDocument } from "./project.ts";

/** Everything of a project but its documents; `order` lists the documents' ids. */
export interface ProjectHead {
  name: string;
  types: readonly EntityType[];
  order: readonly string[];
}

export interface ModelRecord {
  /** Key: a hash of the file's head, tail and size. */
  fingerprint: string;
  name: string;
  bytes: number;
  /** The file in OPFS folder `models`. */
  file: string;
  /** `etag`: the server's validator of a bundled file, so that a newer one replaces it. */
  origin: { kind: "bundled"; etag: string } | { kind: "file" };
  savedAt: number;
}

export interface AdapterRecord {
  id: string;
  name: string;
  /** Fingerprint of the model that it was trained on, null where it was imported. */
  model: string | null;
  modelName: string;
  createdAt: number;
  /** adapter_config.json, as PEFT writes it. */
  configJson: string;
  rank: number;
  alpha: number;
  targets: readonly string[];
  /** adapter_model.safetensors in OPFS folder `adapters`. */
  file: string;
  bytes: number;
  /** Null where it was imported. */
  training: null | { stage: "sft"; steps: number; totalSteps: number; lastLoss: number; documents: number };
}

/** What one model state (base, or with an adapter) answered on the held-out documents. */
export interface PredictionRecord {
  /** Key: see `predictionKey`. */
  key: string;
  model: string;
  adapter: string | null;
  createdAt: number;
  /** The types that were asked for, as they were defined then: documents are scored on these alone. */
  types: readonly EntityType[];
  predictions: readonly Document[];
}

interface StudioSchema extends DBSchema {
  project: { key: string; value: ProjectHead };
  documents: { key: string; value: ProjectDocument };
  models: { key: string; value: ModelRecord };
  adapters: { key: string; value: AdapterRecord };
  predictions: { key: string; value: PredictionRecord };
}

export type StudioDatabase = IDBPDatabase<StudioSchema>;

let opened: Promise<StudioDatabase> | undefined;

export function studioDatabase(): Promise<StudioDatabase> {
  opened ??= openDB<StudioSchema>("obp-studio", 1, {
    upgrade(database) {
      database.createObjectStore("project");
      database.createObjectStore("documents", { keyPath: "id" });
      database.createObjectStore("models", { keyPath: "fingerprint" });
      database.createObjectStore("adapters", { keyPath: "id" });
      database.createObjectStore("predictions", { keyPath: "key" });
    },
  });
  return opened;
}
