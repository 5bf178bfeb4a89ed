// What the page knows of the engine in the worker: device, model, adapters, the running job, predictions.

import { create } from "zustand";
import { listAdapters } from "../../storage/adapterStore.ts";
import type {
  AdapterRecord,
  CorpusRecord,
  ModelRecord,
  PredictionRecord,
  SuggestionRecord,
} from "../../storage/database.ts";
import { listCorpora } from "../../storage/corpusStore.ts";
import { listModels } from "../../storage/modelCache.ts";
import { listPredictions } from "../../storage/predictionStore.ts";
import { listSuggestions } from "../../storage/suggestionStore.ts";
import { connectStudio, type StudioClient } from "../../worker/client.ts";
import type {
  GpuState,
  JobKind,
  JobOutcome,
  JobPhase,
  KernelReport,
  KernelSetting,
  ModelState,
  ProgressUnit,
  Run,
  StepLog,
  StudioEvent,
  TrainConfig,
} from "../../worker/protocol.ts";
import { messageOf } from "./projectStore.ts";
import { useView } from "./viewStore.ts";

interface Progress {
  done: number;
  total: number;
  unit: ProgressUnit;
  /** Where this count was first heard of, and when (ms): the time left is reckoned from there. */
  first: { done: number; at: number };
  /** Null until something was done since. */
  etaSeconds: number | null;
}

export interface Job {
  kind: JobKind;
  name: string;
  /** What is trained, or predicts; null: the model without any. */
  adapter: string | null;
  phase: JobPhase | null;
  progress: Progress | null;
  totalSteps: number;
  tokensPerSecond: number;
  etaSeconds: number;
  /** Asked for, and done after the step in hand. */
  pending: "pausing" | "stopping" | null;
}

interface EngineState {
  gpu: GpuState;
  /** Null until a device is open. */
  kernels: KernelReport | null;
  model: ModelState;
  models: readonly ModelRecord[];
  /** Source corpora that are kept. */
  corpora: readonly CorpusRecord[];
  adapters: readonly AdapterRecord[];
  /** The adapter that is on; null: the model as it came. */
  activeAdapter: string | null;
  job: Job | null;
  /** Trainings that are kept, newest first. */
  runs: readonly Run[];
  /** The adapter that the running training, or the last one, writes. */
  trainedAdapter: string | null;
  /** Of the running training, or of the last one, as are its steps and what it warned of. */
  trainedConfig: TrainConfig | null;
  stepLogs: readonly StepLog[];
  alarms: readonly string[];
  /** Names of the prompts or pairs of the step before. */
  learned: readonly string[];
  /** The last measurement of a training's speed. */
  measured: Extract<StudioEvent, { kind: "measured" }> | null;
  lastOutcome: JobOutcome | null;
  predictions: ReadonlyMap<string, PredictionRecord>;
  /** By document id. */
  suggestions: ReadonlyMap<string, SuggestionRecord>;
  setActiveAdapter(id: string | null): void;
  refreshAdapters(): Promise<void>;
}

const ADAPTER_KEY = "obp.activeAdapter";
const GPU_MEMORY_KEY = "obp.gpuMemory";
const KERNELS_KEY = "obp.kernels";
const MODEL_KEY = "obp.model";
export const BUNDLED_MODEL_URL = new URL("models/obp-mini.gguf", document.baseURI).href;

export const useEngine = create<EngineState>()((set) => ({
  gpu: { kind: "opening" },
  kernels: null,
  model: { kind: "none" },
  models: [],
  corpora: [],
  adapters: [],
  activeAdapter: localStorage.getItem(ADAPTER_KEY),
  job: null,
  runs: [],
  trainedAdapter: null,
  trainedConfig: null,
  stepLogs: [],
  alarms: [],
  learned: [],
  measured: null,
  lastOutcome: null,
  predictions: new Map(),
  suggestions: new Map(),
  setActiveAdapter(id) {
    if (id === null) localStorage.removeItem(ADAPTER_KEY);
    else localStorage.setItem(ADAPTER_KEY, id);
    set({ activeAdapter: id });
  },
  async refreshAdapters() {
    set({ adapters: await listAdapters() });
  },
}));

let client: StudioClient | null = null;

/** The worker, once `connectEngine` has run. */
export function studio(): StudioClient {
  if (client === null) throw new Error("expected connectEngine() first");
  return client;
}

/** Starts the worker, opens the device and the bundled model, and reads what was saved. Called once. */
export async function connectEngine(): Promise<void> {
  const connected = connectStudio(receive, (message) => {
    useEngine.setState({ gpu: { kind: "unavailable", problem: "failed", message }, job: null });
  });
  client = connected;
  try {
    const [adapters, models, corpora, predictions, suggestions] = await Promise.all([
      listAdapters(),
      listModels(),
      listCorpora(),
      listPredictions(),
      listSuggestions(),
    ]);
    useEngine.setState({
      adapters,
      models,
      corpora,
      predictions: new Map(predictions.map((record) => [record.key, record])),
      suggestions: new Map(suggestions.map((record) => [record.documentId, record])),
    });
    if (!adapters.some(({ id }) => id === useEngine.getState().activeAdapter)) {
      useEngine.getState().setActiveAdapter(null);
    }
  } catch (error) {
    useView.getState().notify("error", messageOf(error));
  }
  const gpuMemory = Number(localStorage.getItem(GPU_MEMORY_KEY) ?? 0);
  if (gpuMemory > 0) await connected.setGpuMemory(gpuMemory);
  const kernels = localStorage.getItem(KERNELS_KEY);
  if (isForced(kernels)) await connected.setKernels(kernels);
  await Promise.allSettled([connected.openGpu(), openLastModel(connected), showLastRun(connected)]);
}

/** GPU memory that the engine may take, bytes, kept for the next visit; null: what the device tells. */
export function setGpuMemory(bytes: number | null): void {
  if (bytes === null) localStorage.removeItem(GPU_MEMORY_KEY);
  else localStorage.setItem(GPU_MEMORY_KEY, `${bytes}`);
  void ask((client) => client.setGpuMemory(bytes));
}

/** Which kernels compute linear layers, kept for the next visit; it counts from the next job on. */
export function setKernels(setting: KernelSetting): void {
  if (setting === "auto") localStorage.removeItem(KERNELS_KEY);
  else localStorage.setItem(KERNELS_KEY, setting);
  void ask((client) => client.setKernels(setting));
}

function isForced(text: string | null): text is Exclude<KernelSetting, "auto"> {
  return text === "registers" || text === "subgroups" || text === "tiled" || text === "tiled-f16";
}

/** The run of the last visit, as far as it was saved. */
async function showLastRun(connected: StudioClient): Promise<void> {
  const runs = await connected.runs();
  useEngine.setState({ runs });
  const [last] = runs;
  if (last === undefined || useEngine.getState().job !== null) return;
  useEngine.setState({ ...shownRun(last), trainedAdapter: last.id, trainedConfig: last.config });
}

function shownRun({ logs, alarms }: Run): Pick<EngineState, "stepLogs" | "alarms"> {
  return { stepLogs: logs, alarms };
}

/** The model of the last visit where the browser kept it, else the bundled one. */
function openLastModel(connected: StudioClient): Promise<void> {
  const last = localStorage.getItem(MODEL_KEY);
  const kept = useEngine
    .getState()
    .models.find(({ fingerprint, origin }) => fingerprint === last && origin.kind === "file");
  return kept === undefined
    ? connected.openBundledModel(BUNDLED_MODEL_URL)
    : connected.openCachedModel(kept.fingerprint);
}

/** Runs a request to the worker and shows its error, if any, as a notice. */
export async function ask<T>(request: (client: StudioClient) => Promise<T>): Promise<T | null> {
  try {
    return await request(studio());
  } catch (error) {
    useView.getState().notify("error", messageOf(error));
    return null;
  }
}

/** A count that goes on keeps where it began; another one begins anew. */
function progressed(
  before: Progress | null,
  { done, total, unit }: Pick<Progress, "done" | "total" | "unit">,
): Progress {
  const at = performance.now();
  const goesOn = before !== null && before.unit === unit && before.total === total && before.done <= done;
  const first = goesOn ? before.first : { done, at };
  const steps = done - first.done;
  const etaSeconds = steps > 0 ? ((at - first.at) / 1000 / steps) * (total - done) : null;
  return { done, total, unit, first, etaSeconds };
}

function receive(event: StudioEvent): void {
  const { setState: set, getState: get } = useEngine;
  const patchJob = (patch: Partial<Job>): void => {
    const { job } = get();
    if (job !== null) set({ job: { ...job, ...patch } });
  };
  switch (event.kind) {
    case "gpu": {
      set({ gpu: event.gpu });
      return;
    }
    case "kernels": {
      set({ kernels: event.kernels });
      return;
    }
    case "model":
      if (event.model.kind === "open") localStorage.setItem(MODEL_KEY, event.model.facts.fingerprint);
      {
        set({ model: event.model });
        return;
      }
    case "modelsChanged": {
      set({ models: event.models });
      return;
    }
    case "corporaChanged": {
      set({ corpora: event.corpora });
      return;
    }
    case "started": {
      set({
        job: {
          kind: event.job,
          name: event.name,
          adapter: event.adapter,
          phase: null,
          progress: null,
          totalSteps: 0,
          tokensPerSecond: 0,
          etaSeconds: 0,
          pending: null,
        },
        lastOutcome: null,
        ...(event.job === "train"
          ? { stepLogs: [], alarms: [], learned: [], trainedAdapter: event.adapter, trainedConfig: event.config }
          : {}),
      });
      return;
    }
    case "phase": {
      patchJob({ phase: event.phase, progress: null, ...(event.phase === "paused" ? { pending: null } : {}) });
      return;
    }
    case "progress": {
      patchJob({ progress: progressed(get().job?.progress ?? null, event) });
      return;
    }
    case "stepLog":
      set({ stepLogs: [...get().stepLogs, event.log], learned: event.examples });
      {
        patchJob({
          totalSteps: event.totalSteps,
          tokensPerSecond: event.tokensPerSecond,
          etaSeconds: event.etaSeconds,
        });
        return;
      }
    case "run": {
      const { run } = event;
      const others = get().runs.filter(({ id }) => id !== run.id);
      const runs = [run, ...others].sort((a, b) => b.startedAt - a.startedAt);
      set({ runs, ...(run.id === get().trainedAdapter ? shownRun(run) : {}) });
      return;
    }
    case "runDeleted": {
      set({ runs: get().runs.filter(({ id }) => id !== event.id) });
      return;
    }
    case "alarm": {
      set({ alarms: [...get().alarms, event.message] });
      return;
    }
    case "measured": {
      set({ measured: event });
      return;
    }
    case "predictions": {
      set({ predictions: new Map(get().predictions).set(event.record.key, event.record) });
      return;
    }
    case "suggestions": {
      set({ suggestions: new Map(get().suggestions).set(event.record.documentId, event.record) });
      return;
    }
    case "adapterSaved": {
      set({
        adapters: [event.record, ...get().adapters.filter(({ id }) => id !== event.record.id)],
      });
      return;
    }
    case "warning": {
      useView.getState().notify("info", event.message);
      return;
    }
    case "error": {
      useView.getState().notify("error", event.message);
      return;
    }
    case "deviceLost": {
      set({ gpu: { kind: "lost", message: event.message } });
      return;
    }
    case "done":
      set({ job: null, lastOutcome: event.outcome });
      if (event.outcome.job === "train" && event.outcome.adapter !== null) {
        get().setActiveAdapter(event.outcome.adapter);
      }
      return;
  }
}
