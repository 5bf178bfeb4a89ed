// What the page and the worker say to each other. Requests are methods of `Studio` (studio.ts); everything that happens
// while they run arrives as a `StudioEvent`. Types only.

import type { GpuCapacity } from "../gpu/capacity.ts";
import type { FamilyName, KernelSetting } from "../gpu/kernelChoice.ts";
import type { Document, EntityType } from "../ner/document.ts";
import type {
  AdapterRecord,
  CorpusRecord,
  ModelRecord,
  NextStage,
  PredictionRecord,
  RunRecord,
  SuggestionRecord,
} from "../storage/database.ts";
import type { Comparison } from "../train/compareRuns.ts";
import type { TrainConfig } from "../train/config.ts";
import type { StepLog } from "../train/trainer.ts";

export type { Comparison, FamilyName, KernelSetting, StepLog, TrainConfig };

// --- the device --------------------------------------------------------------------------------------------------

export interface GpuReport {
  adapterName: string;
  isSoftware: boolean;
  /** Memory that the engine may take, and how that is known. */
  capacity: GpuCapacity;
  features: string[];
  /** The limits that matter to the engine, bytes or counts, by WebGPU's names. */
  limits: Record<string, number>;
}

/** Why there is no WebGPU: the page tells what to do about each. */
export type GpuProblem = "insecure" | "unsupported" | "no-adapter" | "failed";

export type GpuState =
  | { kind: "opening" }
  | { kind: "ready"; report: GpuReport }
  | { kind: "unavailable"; problem: GpuProblem; message: string }
  | { kind: "lost"; message: string };

/** What was measured of one product. */
export interface KernelTime {
  milliseconds: number;
  gflops: number;
  /** Sizes of the family's workgroups that were fastest, by their names in the shader; empty where it has one. */
  sizes: Readonly<Record<string, number>>;
}

/** A kind of product of linear layers, for which a family of kernels is chosen. */
export interface KernelProduct {
  direction: "forward" | "backward";
  /** One or two rows (writing an answer), up to 32, or more. */
  rowClass: "one" | "few" | "many";
  /** GGUF types of weights that kernels read in the same way. */
  weights: readonly string[];
  /** Rows and weights that were measured; null where none were. */
  measured: string | null;
  runs: FamilyName;
  /** The fastest of each family; those that were measured. */
  families: Readonly<Partial<Record<FamilyName, KernelTime>>>;
}

export interface KernelReport {
  setting: KernelSetting;
  /** Settings that the adapter can run. */
  available: readonly KernelSetting[];
  /** ISO 8601; null where nothing was. */
  measuredAt: string | null;
  products: readonly KernelProduct[];
}

// --- the model ---------------------------------------------------------------------------------------------------

export interface ModelFacts {
  fingerprint: string;
  name: string;
  fileName: string;
  /** Where its bytes are read from. */
  origin: "bundled" | "cache" | "file";
  /** Whether the browser keeps a copy. */
  cached: boolean;
  fileBytes: number;
  parameters: number;
  layers: number;
  hiddenSize: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  feedForwardSize: number;
  vocabSize: number;
  /** Tokens. */
  contextLength: number;
  ropeTheta: number;
  tiedEmbeddings: boolean;
  /** Layer whose attention the contrastive loss reads, where its setting does not say another. */
  contrastiveLayer: number;
  /** GGUF tensor type → number of tensors. */
  tensorTypes: Record<string, number>;
}

export interface MemoryNeed {
  /** GPU bytes, all parts together. */
  bytes: number;
  parts: { name: string; bytes: number }[];
  verdict: "yes" | "tight" | "no";
  reason: string;
}

export interface ModelMemory {
  /** Tokens that the figures are for. */
  tokens: number;
  inference: MemoryNeed;
  training: MemoryNeed;
}

export type ModelState =
  | { kind: "none" }
  | { kind: "opening"; name: string; doneBytes: number; totalBytes: number }
  /**
   * `gpuBytes`: 0 until the weights are on the GPU; `loading`: the share that is, while they are on their way;
   * `loadSeconds`: what that took, kernels included.
   */
  | { kind: "open"; facts: ModelFacts; gpuBytes: number; loading?: number; loadSeconds?: number }
  | { kind: "failed"; name: string; message: string };

// --- jobs --------------------------------------------------------------------------------------------------------

export interface TrainRequest {
  name: string;
  documents: readonly Document[];
  heldout: readonly Document[];
  types: readonly EntityType[];
  config: TrainConfig;
  /** When the held-out documents are predicted with the adapter as it is then. */
  evaluate: "epoch" | "end" | "never";
  /** The adapter to begin with, which is also DPO's frozen reference; null: a fresh one. */
  parent: string | null;
  /** Stage source: ids of the corpora to learn from, and the types to learn. */
  corpora: readonly string[];
  corpusTypes: readonly EntityType[];
  /** Stages that follow on the same data, each beginning with the adapter of the one before. */
  next: readonly NextStage[];
}

/** A training as it is kept, with the engine's types. */
export interface Run extends Omit<RunRecord, "config" | "logs"> {
  config: TrainConfig;
  logs: readonly StepLog[];
}

/** A finished run after which further stages were to come, and did not. */
export interface UnfinishedChain {
  runId: string;
  next: readonly NextStage[];
}

/** Of the stages sft and dpo: what corpora hold is known once they are read. */
export type PlanRequest = Pick<TrainRequest, "documents" | "types" | "config">;

export interface TrainingPlan {
  /** Stage dpo: pairs, those of boundary edits and of refused suggestions. */
  prompts: number;
  tokens: number;
  supervisedTokens: number;
  longestPrompt: number;
  steps: number;
  /** Prompts over the model's context, by document and type: left out, never cut. */
  tooLong: { name: string; tokens: number }[];
  memory: ModelMemory;
}

/** To predict held-out documents, or to suggest entities in documents that are being labelled. */
export interface PredictRequest {
  /** Null: the model without an adapter. */
  adapter: string | null;
  documents: readonly Document[];
  types: readonly EntityType[];
}

export type JobKind = "train" | "predict" | "suggest" | "measure" | "corpus" | "inspect" | "tune";

export type JobPhase =
  | "loading the model"
  | "measuring kernels"
  | "preparing kernels"
  | "reading the corpora"
  | "predicting without adapter"
  | "finding the adapter's errors"
  | "asking the reference"
  | "suggesting"
  | "measuring"
  | "training"
  | "paused"
  | "saving the adapter"
  | "predicting with the adapter"
  | "reading attention"
  | "measuring cosines"
  | "reading entities"
  | "laying out"
  | "scoring";

export interface MeasuredSteps {
  /** Prompts included. */
  secondsPerToken: number;
  tokensPerStep: number;
  /** Of the training that was measured. */
  totalSteps: number;
}

export type ProgressUnit =
  "bytes" | "prompts" | "pairs" | "steps" | "layers" | "adapters" | "iterations" | "points" | "products";

export type StudioEvent =
  | { kind: "gpu"; gpu: GpuState }
  | { kind: "kernels"; kernels: KernelReport | null }
  | { kind: "model"; model: ModelState }
  /** `adapter`: what is trained, or predicts; null: the model without any. `config`: of a training. */
  | { kind: "started"; job: JobKind; name: string; adapter: string | null; config: TrainConfig | null }
  | { kind: "phase"; phase: JobPhase }
  | { kind: "progress"; done: number; total: number; unit: ProgressUnit }
  /** `examples`: names of the prompts or pairs that the step learned from. */
  | {
      kind: "stepLog";
      log: StepLog;
      totalSteps: number;
      tokensPerSecond: number;
      etaSeconds: number;
      examples: readonly string[];
    }
  /** What steps with these settings take on the open model. */
  | { kind: "measured"; model: string; config: TrainConfig; corpora: readonly string[]; steps: MeasuredSteps }
  | { kind: "predictions"; record: PredictionRecord }
  /** For one document; they are saved. */
  | { kind: "suggestions"; record: SuggestionRecord }
  /** A run is there, or was saved anew: the logs are those that it goes on from. */
  | { kind: "run"; run: Run }
  | { kind: "runDeleted"; id: string }
  /** Training goes on, but not well. Kept with the run. */
  | { kind: "alarm"; message: string }
  | { kind: "adapterSaved"; record: AdapterRecord }
  | { kind: "modelsChanged"; models: ModelRecord[] }
  | { kind: "corporaChanged"; corpora: CorpusRecord[] }
  | { kind: "warning"; message: string }
  | { kind: "error"; message: string }
  | { kind: "deviceLost"; message: string }
  | { kind: "done"; outcome: JobOutcome };

export interface JobOutcome {
  job: JobKind;
  status: "finished" | "stopped" | "failed";
  /** Optimizer steps taken; 0 for predictions. */
  steps: number;
  seconds: number;
  adapter: string | null;
  message: string | null;
}

// --- data --------------------------------------------------------------------------------------------------------

export interface ParsedDocuments {
  format: string;
  documents: Document[];
  /** Said, never silent: what of the file has no place here. */
  warnings: string[];
  /** What could not be read, each by its line. */
  errors: string[];
}

export interface WrittenDocuments {
  /** Of the file name, without the dot. */
  extension: string;
  text: string;
  warnings: string[];
}

/** One prompt as the model reads it, for the token view. */
export interface PromptTokens {
  tokens: { id: number; text: string; supervised: boolean }[];
}

// --- inspection --------------------------------------------------------------------------------------------------

/** A state of the model, under the name that figures give it. */
export interface NamedState {
  /** Null: the model without an adapter; else one in some state (adapterStore.ts). */
  adapter: string | null;
  name: string;
}

export type FigureFormat = "json" | "csv" | "svg" | "png";

export interface FigureFile {
  fileName: string;
  content: string | Uint8Array<ArrayBuffer>;
  /** What the picture shows, in words: model, adapters, layer, head, scale; of png and svg, else empty. */
  caption: string;
}

export interface AttentionRequest {
  /** Its entities of the type are gold: the response names them. */
  document: Pick<Document, "id" | "text" | "words" | "entities">;
  type: EntityType;
  /** Up to three, beside each other. */
  states: readonly NamedState[];
  layer: number;
  /** `all`: each of the layer's heads by itself. */
  head: number | "mean" | "all";
}

export interface AttentionToken {
  text: string;
  /** `type`: of the type's name; `entity`: of a gold entity in the sentence, or as the response names it. */
  role: "plain" | "type" | "entity";
}

/** Neighbouring tokens of one role. */
export interface TokenRun {
  role: "entity" | "type";
  first: number;
  count: number;
}

/** A gold entity in a map. */
export interface EntityTokens {
  /** In the sentence, UTF-16 offsets. */
  start: number;
  end: number;
  /** Its tokens in the sentence, and where the response names it: consecutive. */
  columns: readonly number[];
  rows: readonly number[];
}

export interface AttentionView {
  /** Id of the document. */
  document: string;
  model: string;
  layer: number;
  head: number | "mean" | "all";
  /** Heads that are shown: one, or one for the mean, or all of the layer. */
  heads: number;
  type: string;
  /** Tokens of the response, and of the prompt. */
  rows: readonly AttentionToken[];
  columns: readonly AttentionToken[];
  columnRuns: readonly TokenRun[];
  entities: readonly EntityTokens[];
  maps: readonly {
    name: string;
    /** Mean share of a row's attention that falls on gold entities, head by head; null where there are none. */
    onEntities: readonly number[] | null;
  }[];
}

export interface AttentionDrawn {
  scale: "linear" | "log";
  /** Leaves the first token out of the scale. */
  hideFirst: boolean;
  /** What each state adds to the first. */
  difference: boolean;
}

/** Maps with their colours. */
export interface AttentionAnswer {
  view: AttentionView;
  paint: AttentionPaint;
}

export interface AttentionPaint {
  panels: readonly {
    name: string;
    /** (heads, rows, columns), what the colours stand for. */
    values: Float32Array<ArrayBuffer>;
    /** Of each head (columns × rows) pixels. */
    images: readonly ImageBitmap[];
  }[];
  legend: Legend;
}

export interface Legend {
  kind: "linear" | "log" | "difference";
  /** Colours from low to high, (256, 4). */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  /** `at` from 0 (low) to 1 (high). */
  ticks: readonly { at: number; label: string }[];
}

/** A sentence whose map is taken while trainings run. */
export interface LiveRequest extends Omit<AttentionRequest, "states"> {
  /** Steps from one map to the next. */
  every: number;
}

export type LiveProgress =
  /** After each map. `keptEvery`: 1 where all that were taken are there, n for every n-th; `seconds`: what it took. */
  | { kind: "maps"; moments: readonly { run: string; step: number }[]; keptEvery: number; seconds: number }
  /** No more are taken until it is followed anew; the training goes on. */
  | { kind: "failed"; message: string };

/** How much attention falls on gold entities, in all layers and heads. */
export type HeadsRequest = Omit<AttentionRequest, "layer" | "head">;

export interface HeadsView {
  model: string;
  type: string;
  /** Tokens of the response, and of the gold entities. */
  rows: number;
  entityTokens: number;
  layers: number;
  heads: number;
  /** Of each state, and of what each after the first adds to the first; maps on one scale. */
  values: HeadsRow;
  changes: HeadsRow;
}

export interface HeadsRow {
  maps: readonly {
    name: string;
    /** Mean over all layers and heads. */
    mean: number;
    /** (layers, heads) */
    values: readonly number[];
    /** (layers, heads, 4) */
    rgba: Uint8ClampedArray<ArrayBuffer>;
  }[];
  legend: Legend;
}

export type CosinesRequest = Omit<AttentionRequest, "head">;

/** What the contrastive loss sees of one prompt, with one state of the model. */
export interface ContrastiveCosines {
  name: string;
  layer: number;
  /** λ of the contrastive loss in `loss`. */
  weight: number;
  entities: readonly {
    text: string;
    cosine: number;
    /** Tokens beside it; null: outside the sentence, or inside another entity. */
    left: { token: string; cosine: number } | null;
    right: { token: string; cosine: number } | null;
  }[];
  loss: number;
  sftLoss: number;
  contrastiveLoss: number;
}

export interface SpaceRequest {
  documents: readonly Pick<Document, "id" | "text" | "words" | "entities">[];
  types: readonly EntityType[];
  states: readonly NamedState[];
  layer: number;
  representation: "key" | "hidden";
  method: "tsne" | "pca";
  /** t-SNE; null: what suits the number of points. */
  perplexity: number | null;
  iterations: number;
  /** Of a random start (t-SNE), and of a sample where there are too many entities. */
  seed: number;
  start: "pca" | "random";
}

/** A gold entity that is a point. */
export interface SpacePoint {
  document: string;
  /** UTF-16 offsets. */
  start: number;
  end: number;
  text: string;
  type: string;
}

export type SpaceProgress =
  /** Before positions come: what the points are, in the order of the positions of each state. */
  | { kind: "points"; points: readonly SpacePoint[]; found: number; leftOut: readonly string[]; perplexity: number }
  /** Of each state (points, 2). */
  | { kind: "positions"; iteration: number; total: number; positions: readonly Float32Array[] };

export interface SpaceView {
  caption: string;
  layer: number;
  /** Of t-SNE, natural logarithm. */
  klDivergence: number | null;
  iterations: number | null;
  /** Shares of the variance, of PCA. */
  explained: readonly [number, number] | null;
  /** Neighbours that purity and trustworthiness look at. */
  neighbours: number;
  maps: readonly {
    name: string;
    positions: Float32Array;
    silhouetteCosine: number | null;
    silhouetteEuclidean: number | null;
    purity: number | null;
    trustworthiness: number | null;
  }[];
}
