// Held-out scores while a run goes on: run/evals.jsonl, the best adapter in run/best, and when to stop early.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../model/adapters/peft.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import type { Document, EntityType } from "../ner/document.ts";
import { evaluate } from "../ner/evaluate.ts";
import { bestScore, type HeldoutScore, isExhausted } from "../ner/heldoutScores.ts";
import { Predictor } from "../predict/predict.ts";
import type { TrainConfig } from "../train/config.ts";
import { isScoreDue } from "../train/heldoutSchedule.ts";
import type { StepLog } from "../train/trainer.ts";
import { adapterFiles } from "./adapterFolder.ts";
import { writeFileAtomic, writeFilesAtomic } from "./atomicFile.ts";
import type { Context } from "./context.ts";
import type { OpenedModel } from "./loadModel.ts";
import { readBytes } from "./readFile.ts";

export interface HeldoutInput {
  readonly model: Pick<OpenedModel, "tokenizer" | "config">;
  readonly documents: readonly Document[];
  readonly types: readonly EntityType[];
  readonly config: TrainConfig;
  /** The run's folder. */
  readonly folder: string;
  readonly context: Context;
}

export class Heldout {
  readonly #input: HeldoutInput;
  readonly #lora: Lora;
  /** Kept from score to score. */
  readonly #predictor: Predictor;
  #scores: HeldoutScore[] = [];

  /** @param stepsDone of the checkpoint that the run goes on from; what was scored later is done again */
  constructor(input: HeldoutInput, llama: Llama, lora: Lora, stepsDone: number) {
    [this.#input, this.#lora] = [input, lora];
    this.#predictor = new Predictor(llama, lora);
    if (stepsDone > 0) {
      this.#scores = readScores(this.#path).filter(({ step }) => step <= stepsDone);
    }
  }

  get scores(): readonly HeldoutScore[] {
    return this.#scores;
  }

  get best(): HeldoutScore | null {
    return bestScore(this.#scores);
  }

  get exhausted(): boolean {
    return isExhausted(this.#scores, this.#input.config.earlyStopping);
  }

  /** Whether the last of these steps is to be scored and has not been. */
  due(logs: readonly StepLog[], totalSteps: number): boolean {
    const last = logs.at(-1);
    const isScored = this.#scores.some(({ step }) => step === last?.step);
    return !isScored && isScoreDue(logs, totalSteps, this.#input.config.evalEvery);
  }

  /** Predicts the held-out sentences with the adapter as it is, scores them, and keeps the adapter where it is the best. */
  async score({ step, epoch }: StepLog): Promise<HeldoutScore> {
    const { model, documents, types, folder, context } = this.#input;
    const predicted: Document[] = [];
    const progress = context.progress("held-out", documents.length * types.length, "prompts");
    const onProgress = (done: number): void => progress.update(done);
    const options = { mode: "span", signal: context.signal, onProgress } as const;
    for await (const { entities } of this.#predictor.predict(model.tokenizer, documents, types, options)) {
      predicted.push({ ...(documents[predicted.length] as Document), entities: [...entities] });
    }
    progress.finish();
    const names = types.map(({ name }) => name);
    const { precision, recall, f1, boundary } = evaluate(documents, predicted, names);
    const score = { step, epoch, precision, recall, f1, boundaryErrorRate: boundary.rate };
    this.#scores = [...this.#scores, score];
    const isBest = this.best === score;
    if (isBest) {
      writeFilesAtomic(adapterFiles(join(folder, "best"), await this.#lora.read(), model.config.name));
    }
    writeFileAtomic(this.#path, this.#scores.map((line) => `${JSON.stringify(line)}\n`).join(""));
    context.note(`held-out after step ${step}: strict F1 ${f1.toFixed(4)}${isBest ? ", the best so far" : ""}`);
    return score;
  }

  /** The files of the best adapter, to be written to `folder`. */
  bestFiles(folder: string): ReadonlyMap<string, Uint8Array> {
    const best = join(this.#input.folder, "best");
    return new Map([ADAPTER_CONFIG, ADAPTER_WEIGHTS].map((name) => [join(folder, name), readBytes(join(best, name))]));
  }

  /** Frees what predicting takes on the GPU. */
  destroy(): void {
    this.#predictor.destroy();
  }

  get #path(): string {
    return join(this.#input.folder, "evals.jsonl");
  }
}

function readScores(path: string): HeldoutScore[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return []; // nothing was scored before the checkpoint
  }
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as HeldoutScore);
}
