// The engine as the page sees it: an ordinary class behind comlink (studio.worker.ts). One job at a time; what happens
// in it arrives as events.

import { transfer } from "comlink";
import { FORMAT_NAMES } from "../formats/formats.ts";
import type { Document, EntityType } from "../ner/document.ts";
import { encodePrompt } from "../ner/prompt.ts";
import { deleteAdapter, renameAdapter } from "../storage/adapterStore.ts";
import type { AdapterRecord, RunRecord } from "../storage/database.ts";
import { deleteCorpus, listCorpora } from "../storage/corpusStore.ts";
import { cachedModelFile, cacheModel, deleteModel, listModels } from "../storage/modelCache.ts";
import { deleteRun, listRuns, readRun, saveRun } from "../storage/runStore.ts";
import { PRESETS } from "../train/presets.ts";
import { exportAdapter, importAdapter } from "./adapterFiles.ts";
import { BUNDLED_FILE, openBundledModel } from "./bundledModel.ts";
import { addCorpora } from "./corpora.ts";
import { readDocumentFile, writeDocumentFile } from "./dataFiles.ts";
import { EngineSession } from "./engineSession.ts";
import type { PaintedAnswer } from "./inspectAttention.ts";
import { Inspector } from "./inspector.ts";
import type { JobControl } from "./jobControl.ts";
import { JobRunner, type JobStart } from "./jobRunner.ts";
import { mapImages, partsOf } from "./mapImages.ts";
import { measureSteps } from "./measure.ts";
import { modelMemory } from "./memory.ts";
import { type OpenModel, readModel } from "./modelFacts.ts";
import { predictAndSave, type PredictInput } from "./predictions.ts";
import type {
  AttentionAnswer,
  AttentionDrawn,
  AttentionPaint,
  AttentionRequest,
  Comparison,
  ContrastiveCosines,
  CosinesRequest,
  FigureFile,
  FigureFormat,
  HeadsRequest,
  HeadsView,
  LiveProgress,
  LiveRequest,
  JobPhase,
  KernelSetting,
  ModelMemory,
  NamedState,
  ParsedDocuments,
  PlanRequest,
  PredictRequest,
  PromptTokens,
  Run,
  SpaceProgress,
  SpaceRequest,
  SpaceView,
  StudioEvent,
  TrainConfig,
  TrainingPlan,
  TrainRequest,
  UnfinishedChain,
  WrittenDocuments,
} from "./protocol.ts";
import { runOf, runsOf } from "./runKeeper.ts";
import { compareNamed } from "./stateRuns.ts";
import { suggestAndSave } from "./suggestions.ts";
import { throttle } from "./throttle.ts";
import {
  endChain,
  followingJob,
  newJob,
  nextJob,
  repeatedJob,
  resumedJob,
  type TrainJob,
  unfinishedChain,
} from "./trainJob.ts";
import { planTraining } from "./trainPlan.ts";
import { runTraining } from "./trainRun.ts";
import type { TrainResult } from "./trainSteps.ts";

/** Prompts of this length are what a model's memory need is shown for. */
const MEMORY_TOKENS = 512;

export class Studio {
  readonly #session: EngineSession;
  readonly #jobs: JobRunner;
  readonly #inspector: Inspector;
  /** Models that were asked for so far, and which of them was opened last. */
  #openings = 0;
  #lastOpened = 0;
  #listener: (event: StudioEvent) => void = () => undefined;

  constructor(api: GPU | undefined) {
    const emit = (event: StudioEvent): void => this.#emit(event);
    const session = new EngineSession(api, emit);
    this.#session = session;
    this.#jobs = new JobRunner(emit, () => session.lost);
    this.#inspector = new Inspector(session, this.#jobs, emit);
  }

  subscribe(listener: (event: StudioEvent) => void): void {
    this.#listener = listener;
  }

  /** What came of it arrives as an event. */
  openGpu(): Promise<void> {
    return this.#session.openGpu();
  }

  /** How much of the GPU's memory the engine may take, bytes; null: what the device tells. Counts from now on. */
  setGpuMemory(bytes: number | null): void {
    this.#session.setMemory(bytes);
  }

  /** Which kernels compute linear layers, from the next job on; one that goes on keeps those that it began with. */
  setKernels(setting: KernelSetting): void {
    this.#session.kernels.set(setting);
  }

  /** Starts measuring which kernels are fastest here, with the open model's weights. @throws where another job is running */
  tuneKernels(): void {
    this.#jobs.start({ job: "tune", name: "Measuring kernels", adapter: null, config: null }, async ({ signal }) => {
      await this.#session.kernels.measure(await this.#session.llama(signal), signal);
      return { steps: 0, adapter: null };
    });
  }

  presets(): typeof PRESETS {
    return PRESETS;
  }

  // --- models ----------------------------------------------------------------------------------------------------

  /** @param url of the bundled model, absolute */
  async openBundledModel(url: string): Promise<void> {
    await this.#open(BUNDLED_FILE, async (onProgress) => {
      const { blob, cached } = await openBundledModel(url, onProgress);
      return readModel(blob, BUNDLED_FILE, { origin: "bundled", cached });
    });
  }

  async openCachedModel(fingerprint: string): Promise<void> {
    const record = (await listModels()).find((model) => model.fingerprint === fingerprint);
    if (record === undefined) throw new Error("expected a model kept in this browser, got one that was deleted");
    const origin = record.origin.kind === "bundled" ? "bundled" : "cache";
    await this.#open(record.name, async () =>
      readModel(await cachedModelFile(record), record.name, { origin, cached: true }),
    );
  }

  async openModelFile(file: File): Promise<void> {
    await this.#open(file.name, () => readModel(file, file.name, { origin: "file", cached: false }));
  }

  /** Copies the open file into the browser's storage, so that it is there after a reload. */
  async keepModel(): Promise<void> {
    const { blob, facts } = this.#session.openModel;
    await cacheModel(chunksOf(blob), facts.fileName, () =>
      Promise.resolve({ fingerprint: facts.fingerprint, name: facts.fileName, origin: { kind: "file" } }),
    );
    this.#emit({ kind: "modelsChanged", models: await listModels() });
    const state = this.#session.modelState;
    if (state.kind === "open") this.#session.setModelState({ ...state, facts: { ...state.facts, cached: true } });
  }

  async deleteModel(fingerprint: string): Promise<void> {
    if (this.#session.model?.facts.fingerprint === fingerprint) {
      throw new Error("expected another model to be open, got the one to delete (open another one first)");
    }
    await deleteModel(fingerprint);
    this.#emit({ kind: "modelsChanged", models: await listModels() });
  }

  /** @param tokens of the longest prompt, as far as the model's context goes */
  memory(config: TrainConfig, tokens = MEMORY_TOKENS): ModelMemory {
    return this.#memory(config, Math.min(tokens, this.#session.openModel.config.contextLength));
  }

  // --- training --------------------------------------------------------------------------------------------------

  plan(request: PlanRequest): TrainingPlan {
    const plan = planTraining(this.#session.openModel, request);
    return { ...plan, memory: this.#memory(request.config, plan.longestPrompt) };
  }

  /**
   * Starts a training and the stages that follow it; the outcome of the last one arrives as `done`.
   * @throws where another job is running, or the parent is gone
   */
  async train(request: TrainRequest): Promise<void> {
    this.#train(await newJob(this.#session, crypto.randomUUID(), request));
  }

  /** Takes a few steps of a training to tell its speed, which arrives as `measured`. @throws as `train` */
  async measure(request: TrainRequest): Promise<void> {
    const job = await newJob(this.#session, crypto.randomUUID(), request);
    const { config, model } = job.run;
    this.#jobs.start({ job: "measure", name: request.name, adapter: null, config: null }, async ({ signal }) => {
      const emit = (event: StudioEvent): void => this.#emit(event);
      const steps = await measureSteps(this.#session, job, signal, emit);
      emit({ kind: "measured", model, config, corpora: job.inputs.corpora, steps });
      return { steps: 0, adapter: null };
    });
  }

  /** Goes on with a run that was cut off or stopped, and then with the stages that follow it. @throws where it cannot, or another job is running */
  async continueRun(id: string): Promise<void> {
    this.#train(await resumedJob(this.#session, id, (event) => this.#emit(event)));
  }

  unfinishedChain(): Promise<UnfinishedChain | null> {
    return unfinishedChain();
  }

  /** Goes on with the stages that were to follow a finished run. @throws as `continueRun` */
  async continueChain(runId: string): Promise<void> {
    this.#train(await followingJob(this.#session, runId, crypto.randomUUID()));
  }

  /** The stages that were to follow a run are not wanted any more. */
  endChain(runId: string): Promise<void> {
    return endChain(runId);
  }

  /** Trains anew what a kept run trained, in the same way. @throws as `train`, or where the run's model is not open */
  async rerun(id: string, name: string): Promise<void> {
    this.#train(await repeatedJob(this.#session, id, crypto.randomUUID(), name));
  }

  /** The adapter that it saved is renamed too. */
  async renameRun(id: string, name: string): Promise<void> {
    await this.#changeRun(id, { name });
    await renameAdapter(id, name);
  }

  /** Keeps a run at the top of the table, or no longer. */
  pinRun(id: string, pinned: boolean): Promise<void> {
    return this.#changeRun(id, { pinned });
  }

  async runs(): Promise<Run[]> {
    return runsOf(await listRuns());
  }

  /** Deletes a run with its states; the adapter that it saved stays. */
  async discardRun(id: string): Promise<void> {
    await deleteRun(id);
    this.#emit({ kind: "runDeleted", id });
  }

  // --- source corpora --------------------------------------------------------------------------------------------

  /** Starts copying files into the browser's storage; those that are sound arrive as `corporaChanged`. @throws as `train` */
  addCorpora(files: readonly File[]): void {
    const name = files.length === 1 ? (files[0]?.name ?? "") : `${files.length} corpora`;
    this.#jobs.start({ job: "corpus", name, adapter: null, config: null }, async ({ signal }) => {
      await addCorpora(files, signal, (event) => this.#emit(event));
      return { steps: 0, adapter: null };
    });
  }

  async deleteCorpus(id: string): Promise<void> {
    await deleteCorpus(id);
    this.#emit({ kind: "corporaChanged", corpora: await listCorpora() });
  }

  // --- prediction ------------------------------------------------------------------------------------------------

  /** Starts predicting; the outcome arrives as `done`. @throws where another job is running */
  predict(request: PredictRequest): void {
    const phase = request.adapter === null ? "predicting without adapter" : "predicting with the adapter";
    this.#askModel({ job: "predict", name: "Held-out sentences" }, phase, request, predictAndSave);
  }

  /** Suggests entities; each document's arrive as `suggestions`. @throws where another job is running */
  suggest(request: PredictRequest): void {
    this.#askModel({ job: "suggest", name: "Suggestions" }, "suggesting", request, suggestAndSave);
  }

  pause(): void {
    this.#jobs.pause();
  }

  resume(): void {
    this.#jobs.resume();
  }

  stop(): void {
    this.#jobs.stop();
  }

  // --- inspection ------------------------------------------------------------------------------------------------

  /** How states of the model were trained; null with fewer than two. */
  compare(states: readonly NamedState[]): Promise<Comparison | null> {
    return compareNamed(states);
  }

  /** Reads attention maps, which stay to be painted and written. @throws as `train`, or what is wrong with the request */
  async attention(request: AttentionRequest, drawn: AttentionDrawn): Promise<AttentionAnswer> {
    return shownMaps(await this.#inspector.attention(request, drawn));
  }

  /** Colours of the maps that were read last. */
  async paintAttention(drawn: AttentionDrawn): Promise<AttentionPaint> {
    const paint = await mapImages(this.#inspector.paint(drawn));
    return transfer(paint, partsOf(paint));
  }

  attentionFile(format: FigureFormat, drawn: AttentionDrawn): Promise<FigureFile> {
    return this.#inspector.attentionFile(format, drawn);
  }

  /** Takes a sentence's map every few steps of trainings from now on; null: no more. @param show hears of each map */
  follow(request: LiveRequest | null, show: (progress: LiveProgress) => void): void {
    this.#inspector.live.follow(request, show);
  }

  /** A map that was taken, beside the first. @throws where there is no such */
  async liveMap(index: number, drawn: AttentionDrawn): Promise<AttentionAnswer> {
    return shownMaps(this.#inspector.live.map(index, drawn));
  }

  liveFile(index: number, format: FigureFormat, drawn: AttentionDrawn): Promise<FigureFile> {
    return this.#inspector.liveFile(index, format, drawn);
  }

  /** How much attention falls on gold entities, in all layers and heads. @throws as `attention`, or without such an entity */
  heads(request: HeadsRequest): Promise<HeadsView> {
    return this.#inspector.heads(request);
  }

  headsFile(format: FigureFormat): Promise<FigureFile> {
    return this.#inspector.headsFile(format);
  }

  /** What the contrastive loss sees of a prompt. @throws as `attention` */
  cosines(request: CosinesRequest): Promise<ContrastiveCosines[]> {
    return this.#inspector.cosines(request);
  }

  cosinesFile(format: FigureFormat): Promise<FigureFile> {
    return this.#inspector.cosinesFile(format);
  }

  /** Lays labelled entities out in a plane. @param show hears where they stand on the way @throws as `attention` */
  space(request: SpaceRequest, show: (progress: SpaceProgress) => void): Promise<SpaceView> {
    return this.#inspector.space(request, show);
  }

  spaceFile(format: FigureFormat): Promise<FigureFile> {
    return this.#inspector.spaceFile(format);
  }

  // --- adapters --------------------------------------------------------------------------------------------------

  importAdapter(files: readonly File[]): Promise<AdapterRecord> {
    return importAdapter(files);
  }

  exportAdapter(id: string): Promise<{ fileName: string; bytes: Uint8Array<ArrayBuffer> }> {
    return exportAdapter(id);
  }

  async deleteAdapter(id: string): Promise<void> {
    this.#session.forgetLora(id);
    await deleteAdapter(id);
  }

  // --- data ------------------------------------------------------------------------------------------------------

  formatNames(): readonly string[] {
    return FORMAT_NAMES;
  }

  parseDocuments(file: Blob): Promise<ParsedDocuments> {
    return readDocumentFile(file);
  }

  writeDocuments(format: string, documents: readonly Document[]): WrittenDocuments {
    return writeDocumentFile(format, documents);
  }

  /** The prompt of a sentence and type as the model reads it. */
  promptTokens(document: Document, type: EntityType): PromptTokens {
    const { tokenizer } = this.#session.openModel;
    const { ids, responseStart } = encodePrompt(tokenizer, document.text, type, document.entities);
    return { tokens: ids.map((id, index) => ({ id, text: tokenizer.token(id), supervised: index >= responseStart })) };
  }

  // --- within ----------------------------------------------------------------------------------------------------

  #askModel(
    start: Pick<JobStart, "job" | "name">,
    phase: JobPhase,
    { adapter, documents, types }: PredictRequest,
    answer: (input: PredictInput, emit: (event: StudioEvent) => void) => Promise<unknown>,
  ): void {
    this.#jobs.start({ ...start, adapter, config: null }, async ({ signal }) => {
      const session = this.#session;
      const llama = await session.llama(signal);
      const lora = await session.lora(llama, adapter);
      this.#emit({ kind: "phase", phase });
      const input = { llama, lora, adapter, model: session.openModel, documents, types, signal };
      await answer(input, (event) => this.#emit(event));
      return { steps: 0, adapter };
    });
  }

  #emit(event: StudioEvent): void {
    if (event.kind === "deviceLost") this.#jobs.stop();
    this.#listener(event);
  }

  /** One job, whatever stages follow: each is a run of its own, begun when the one before is finished. */
  #train(first: TrainJob): void {
    this.#jobs.start(startOf(first), async (control) => {
      let adapter: string | null = null;
      for (let job = first; ;) {
        const { steps, saved } = await this.#trainStage(job, control);
        if (saved) adapter = job.run.id;
        const goesOn = saved && !control.isStopped();
        const next = goesOn ? await nextJob(this.#session, crypto.randomUUID(), job) : null;
        if (next === null) return { steps, adapter };
        job = next;
        this.#emit({ kind: "started", ...startOf(job) });
      }
    });
  }

  #trainStage(job: TrainJob, control: JobControl): Promise<TrainResult> {
    const { id, name } = job.run;
    // Held for as long as it runs: another tab takes it for interrupted otherwise.
    return navigator.locks.request(`obp.run.${id}`, { ifAvailable: true }, (lock) => {
      if (lock === null) throw new Error(`expected "${name}" to be interrupted, got it running in another tab`);
      const { live } = this.#inspector;
      return runTraining(
        this.#session,
        job,
        control,
        (event) => this.#emit(event),
        (training) => live.watch(training),
      );
    });
  }

  async #changeRun(id: string, change: Pick<RunRecord, "name"> | Pick<RunRecord, "pinned">): Promise<void> {
    const record = { ...(await readRun(id)).record, ...change };
    await saveRun(record);
    this.#emit({ kind: "run", run: runOf(record) });
  }

  /** Of models that are asked for one after the other the last one stays open, however long each takes to read. */
  async #open(name: string, read: (onProgress: (done: number, total: number) => void) => Promise<OpenModel>) {
    if (this.#jobs.isRunning)
      throw new Error("expected no job to be running, got one (stop it before changing the model)");
    const before = this.#session.modelState;
    const opening = ++this.#openings;
    const overtaken = (): boolean => opening < this.#lastOpened;
    const start = performance.now();
    const show = throttle((doneBytes: number, totalBytes: number) => {
      if (!overtaken()) this.#session.setModelState({ kind: "opening", name, doneBytes, totalBytes });
    });
    show(0, 0);
    try {
      const model = await read(show);
      if (overtaken()) return;
      this.#lastOpened = opening;
      performance.measure("obp: model's head and tokenizer", { start });
      this.#session.setModel(model);
      this.#emit({ kind: "modelsChanged", models: await listModels() });
    } catch (error) {
      if (overtaken()) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#session.setModelState(before.kind === "open" ? before : { kind: "failed", name, message });
      throw error;
    }
  }

  #memory(settings: TrainConfig, tokens: number): ModelMemory {
    const { gguf, config } = this.#session.openModel;
    return modelMemory(gguf, config, settings, tokens, this.#session.capacity);
  }
}

/** What need not be copied on its way to the page. */
async function shownMaps({ view, paint }: PaintedAnswer): Promise<AttentionAnswer> {
  const shown = await mapImages(paint);
  return transfer({ view, paint: shown }, partsOf(shown));
}

function startOf({ run: { id, name, config } }: TrainJob): JobStart {
  return { job: "train", name, adapter: id, config };
}

/** 8 MiB at a time, so that a large file never lies in memory. */
async function* chunksOf(blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const size = 8 * 2 ** 20;
  for (let offset = 0; offset < blob.size; offset += size) {
    yield new Uint8Array(await blob.slice(offset, offset + size).arrayBuffer());
  }
}
