// The studio's IndexedDB. Large bytes (models, adapter weights) lie in OPFS (opfs.ts); a record here names them, and
// only a named file counts, so that a write cut short never shows up as a broken model or adapter.

import { openDB, type DBSchema, type IDBPDatabase, type IDBPObjectStore, type StoreNames } from "idb";
import type { Document, Entity, EntityType } from "../ner/document.ts";
import type { HeldoutScore } from "../ner/heldoutScores.ts";
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

/** What made an adapter; +cl: with the attention contrastive loss. */
export type TrainedStage = "source" | "sft" | "sft+cl" | "dpo";

/** Settings of training by name, as the engine knows them (src/train/config.ts). */
export type SavedConfig = Readonly<Record<string, unknown>>;

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
  /** The weights after its run's last step, likewise a file, where those that were kept scored better; else none. */
  last?: { file: string; bytes: number };
  /** Of an import: run/config.json and run/environment.json, where they came with it. */
  imported?: { config: string; environment: string | null };
  /** Null where it was imported. */
  training: null | {
    stage: TrainedStage;
    /** The adapter that it began with; null: a fresh one. */
    parent: string | null;
    /** Null where it was made before settings were kept. */
    config: SavedConfig | null;
    steps: number;
    totalSteps: number;
    lastLoss: number;
    documents: number;
  };
}

/** A training, begun or ended. What it learns from lies apart (RunInputs): this record is read for every list of runs. */
export interface RunRecord {
  /** That of the adapter it makes. */
  id: string;
  name: string;
  stage: TrainedStage;
  parent: string | null;
  /** Fingerprint and name of the model. */
  model: string;
  modelName: string;
  startedAt: number;
  /** Running without a job: the tab was closed on it, or the GPU was lost. */
  status: "running" | "stopped" | "finished" | "failed";
  config: SavedConfig;
  totalSteps: number;
  /** Of all steps up to the last checkpoint, or the end. */
  seconds: number;
  /** One entry a step, by the engine's names, up to the last checkpoint, or the end. */
  logs: readonly Readonly<Record<string, number>>[];
  /** What was warned of. */
  alarms: readonly string[];
  /** Held-out scores in the order of steps. */
  scores: readonly HeldoutScore[];
  /** Kept at the top of the table. */
  pinned: boolean;
  /** Newest first; each a file in OPFS folder `checkpoints`, and the steps done then. */
  checkpoints: readonly { file: string; step: number }[];
  /** None in runs that began before it was kept. */
  environment?: RunEnvironment;
}

/** Where a run was computed, last where it was gone on with, and what besides its settings decided its numbers. */
export interface RunEnvironment {
  /** Version of the program. */
  obp: string;
  browser: string;
  webgpuAdapter: string;
  /** SHA-256 of what it learns from: documents, types, pairs, corpora. */
  data: string;
}

/** A preference pair with what the frozen reference gives both answers, nats. */
export interface SavedPair {
  name: string;
  prompt: string;
  chosen: string;
  rejected: string;
  kind: string;
  reference: { chosen: number; rejected: number };
}

/** All that a run learns from, as it was when the run began. */
export interface RunInputs {
  id: string;
  documents: readonly Document[];
  heldout: readonly Document[];
  types: readonly EntityType[];
  evaluate: "epoch" | "end" | "never";
  /** Stage dpo only. */
  pairs: readonly SavedPair[] | null;
  /** Stage source only: ids of corpora, and what of them is learned. */
  corpora: readonly string[];
  corpusTypes: readonly EntityType[];
  /** Stages to train afterwards on the same data, each beginning with the adapter of the one before. */
  next: readonly NextStage[];
}

/** The name of a run that is still to come, and its settings. */
export interface NextStage {
  name: string;
  config: SavedConfig;
}

/** A labelled file of any size, for source pre-training. */
export interface CorpusRecord {
  id: string;
  name: string;
  /** Hash of its head, tail and size. */
  fingerprint: string;
  bytes: number;
  format: string;
  /** What is in it; the types in the order of their first mention, each with its entities. */
  sentences: number;
  types: readonly { name: string; entities: number }[];
  addedAt: number;
  /** The file in OPFS folder `corpora`. */
  file: string;
}

/** What a model suggested for a document that is being labelled. */
export interface SuggestionRecord {
  /** Key. */
  documentId: string;
  /** The document's text then: suggestions are for this text alone. */
  text: string;
  model: string;
  adapter: string | null;
  /** Names of the types that were asked for. */
  types: readonly string[];
  entities: readonly Entity[];
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
  /** Whether the last time it was asked it ended before all were predicted; absent: no. */
  stopped?: boolean;
  /** The adapter's file then; a run that goes on writes another. Absent without an adapter, and in older records. */
  weights?: string;
}

interface StudioSchema extends DBSchema {
  project: { key: string; value: ProjectHead };
  documents: { key: string; value: ProjectDocument };
  models: { key: string; value: ModelRecord };
  adapters: { key: string; value: AdapterRecord };
  predictions: { key: string; value: PredictionRecord };
  runs: { key: string; value: RunRecord };
  runInputs: { key: string; value: RunInputs };
  corpora: { key: string; value: CorpusRecord };
  suggestions: { key: string; value: SuggestionRecord };
  /** One record, see kernelStore.ts. */
  kernels: { key: string; value: unknown };
}

export type StudioDatabase = IDBPDatabase<StudioSchema>;

let opened: Promise<StudioDatabase> | undefined;

export function studioDatabase(): Promise<StudioDatabase> {
  opened ??= openDB<StudioSchema>("obp-studio", 4, {
    upgrade(database, before, _after, transaction) {
      if (before < 1) {
        database.createObjectStore("project");
        database.createObjectStore("documents", { keyPath: "id" });
        database.createObjectStore("models", { keyPath: "fingerprint" });
        database.createObjectStore("adapters", { keyPath: "id" });
        database.createObjectStore("predictions", { keyPath: "key" });
      }
      if (before < 2) {
        database.createObjectStore("runs", { keyPath: "id" });
        database.createObjectStore("runInputs", { keyPath: "id" });
      }
      if (before < 3) {
        database.createObjectStore("corpora", { keyPath: "id" });
        database.createObjectStore("suggestions", { keyPath: "documentId" });
      }
      database.createObjectStore("kernels");
      // Where one fails, so does the upgrade, and the database is as it was.
      if (before === 1) void addFields(transaction.objectStore("adapters"), addParent);
      if (before === 2) {
        void addFields(transaction.objectStore("runs"), (run) => ({ ...run, scores: [], pinned: false }));
        void addFields(transaction.objectStore("runInputs"), (inputs) => ({
          ...inputs,
          ...{ corpora: [], corpusTypes: [], next: [] },
        }));
      }
    },
  });
  return opened;
}

type UpgradedStore<Name extends StoreNames<StudioSchema>> = IDBPObjectStore<
  StudioSchema,
  ArrayLike<StoreNames<StudioSchema>>,
  Name,
  "versionchange"
>;

/** Gives records of an earlier version what this one has besides. */
async function addFields<Name extends StoreNames<StudioSchema>>(
  store: UpgradedStore<Name>,
  add: (record: StudioSchema[Name]["value"]) => StudioSchema[Name]["value"],
): Promise<void> {
  for (const record of await store.getAll()) await store.put(add(record));
}

/** Version 1 knew neither parents nor settings. */
function addParent(record: AdapterRecord): AdapterRecord {
  return { ...record, training: record.training && { ...record.training, parent: null, config: null } };
}
