/**
 * LoRA supervised fine-tuning: forward, response-only cross-entropy (method.md, Eq. 2), backward, Adam.
 * A step is one optimizer update over `gradAccumSteps` prompts, each a micro-batch; the loss is the mean over all
 * supervised tokens of the step. Only scalars come back from the GPU.
 */
import { BufferPool } from "../gpu/buffers.ts";
import { adamUpdate, clipByGlobalNorm, squareSums, SQUARES_PER_GROUP } from "../kernels/optimizer.ts";
import { backward, type BackwardPass } from "../model/backward.ts";
import { forward, writeTokens } from "../model/forward.ts";
import { Head } from "../model/head.ts";
import type { Llama } from "../model/llama.ts";
import { type Lora, LoraPages } from "../model/lora.ts";
import { pcg } from "../kernels/random.ref.ts";
import { nameSeed } from "../model/random.ts";
import { Workspace } from "../model/workspace.ts";
import { checkTrainConfig, type TrainConfig } from "./config.ts";
import { type ExamplesOptions, longestExample, supervisedRows, type TrainExample } from "./examples.ts";
import { epochOrder, linearSchedule } from "./schedule.ts";

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPS = 1e-8;

/** One optimizer step, under TRL's names. */
export interface StepLog {
  readonly step: number;
  /** Epochs done, a fraction. */
  readonly epoch: number;
  /** Mean −log-probability per supervised token, nats. */
  readonly loss: number;
  readonly learning_rate: number;
  /** Global norm of the gradient before clipping. */
  readonly grad_norm: number;
  /** Tokens seen since the start, prompts included. */
  readonly num_tokens: number;
}

/** The run cannot go on: the step and tensor are named, and nothing was overwritten. */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
}

export class Trainer {
  readonly totalSteps: number;
  readonly #llama: Llama;
  readonly #lora: Lora;
  readonly #examples: readonly TrainExample[];
  readonly #config: TrainConfig;
  readonly #pool: BufferPool;
  readonly #workspace: Workspace;
  readonly #head: Head;
  readonly #gradients: LoraPages;
  readonly #m: LoraPages;
  readonly #v: LoraPages;
  readonly #partials: GPUBuffer;
  readonly #state: GPUBuffer;
  #stepsDone = 0;
  #tokensSeen = 0;

  private constructor(llama: Llama, lora: Lora, examples: readonly TrainExample[], config: TrainConfig) {
    this.#llama = llama;
    this.#lora = lora;
    this.#examples = examples;
    this.#config = config;
    const perEpoch = Math.ceil(examples.length / config.gradAccumSteps);
    this.totalSteps = config.maxSteps ?? Math.ceil(config.epochs * perEpoch);
    this.#pool = new BufferPool(llama.queue.gpu);
    this.#workspace = new Workspace(llama, longestExample(examples), lora.R, config.checkpointing);
    this.#head = new Head(llama);
    this.#gradients = new LoraPages(this.#pool, "lora gradients", lora.pageSizes);
    this.#m = new LoraPages(this.#pool, "adam m", lora.pageSizes);
    this.#v = new LoraPages(this.#pool, "adam v", lora.pageSizes);
    const groups = lora.pageSizes.reduce((sum, size) => sum + Math.ceil(size / 4 / SQUARES_PER_GROUP), 0);
    this.#partials = this.#pool.storage("squared norms", groups * 4);
    this.#state = this.#pool.storage("optimizer state", 16);
  }

  /**
   * Allocates everything training needs and compiles its kernels.
   * @throws Error on an empty support set or a setting out of range
   */
  static async create(
    llama: Llama,
    lora: Lora,
    examples: readonly TrainExample[],
    config: TrainConfig,
  ): Promise<Trainer> {
    checkTrainConfig(config);
    if (examples.length === 0) {
      throw new Error("expected at least one training prompt, got none (label at least one sentence)");
    }
    await llama.prepareTraining();
    return new Trainer(llama, lora, examples, config);
  }

  get stepsDone(): number {
    return this.#stepsDone;
  }

  /** GPU bytes of training beyond the model's weights. */
  get gpuBytes(): number {
    return this.#pool.bytes + this.#workspace.gpuBytes + this.#head.gpuBytes + this.#lora.gpuBytes;
  }

  /**
   * One optimizer step.
   * @throws TrainingError when the gradient is not finite (the update has not been made); AbortError between micro-batches
   */
  async step(signal?: AbortSignal): Promise<StepLog> {
    const { gradAccumSteps, seed, dropout, warmupRatio, learningRate } = this.#config;
    const step = this.#stepsDone;
    const batch = this.#batch(step);
    this.#clearGradients();
    let supervised = 0;
    let tokens = 0;
    for (const [index, example] of batch.entries()) {
      signal?.throwIfAborted();
      const dropoutSeed = pcg((nameSeed("dropout", seed) + step * gradAccumSteps + index) >>> 0);
      supervised += await this.#microBatch(example, { seed: dropoutSeed, rate: dropout });
      tokens += example.ids.length;
    }
    const rate = linearSchedule(step, this.totalSteps, warmupRatio, learningRate);
    this.#update(step, supervised, rate);
    const [lossSum = NaN] = new Float32Array(await this.#llama.queue.read(this.#head.total, 0, 8));
    const [norm = NaN, , finite] = new Float32Array(await this.#llama.queue.read(this.#state, 0, 16));
    if (finite !== 1 || !Number.isFinite(lossSum)) {
      throw await this.#notFinite(`step ${step + 1}`, lossSum, batch);
    }
    this.#stepsDone++;
    this.#tokensSeen += tokens;
    return {
      step: this.#stepsDone,
      epoch: this.#stepsDone / Math.ceil(this.#examples.length / gradAccumSteps),
      loss: lossSum / supervised,
      learning_rate: rate,
      grad_norm: norm,
      num_tokens: this.#tokensSeen,
    };
  }

  /**
   * Loss and gradients over all examples, without dropout and without an update.
   * Gradients are of the mean over all supervised tokens.
   * @throws TrainingError when they are not finite; AbortError between prompts
   */
  async gradients({ signal, onProgress }: ExamplesOptions = {}): Promise<{
    loss: number;
    supervisedTokens: number;
    gradNorm: number;
    pages: LoraPages;
    scale: number;
  }> {
    this.#clearGradients();
    let supervised = 0;
    for (const [index, example] of this.#examples.entries()) {
      signal?.throwIfAborted();
      supervised += await this.#microBatch(example, null);
      onProgress?.(index + 1, this.#examples.length);
    }
    this.#measureNorm(1 / supervised, 0);
    const [lossSum = NaN] = new Float32Array(await this.#llama.queue.read(this.#head.total, 0, 8));
    const [gradNorm = NaN, , finite] = new Float32Array(await this.#llama.queue.read(this.#state, 0, 16));
    if (finite !== 1 || !Number.isFinite(lossSum)) {
      throw await this.#notFinite("the gradients", lossSum, this.#examples);
    }
    return {
      loss: lossSum / supervised,
      supervisedTokens: supervised,
      gradNorm,
      pages: this.#gradients,
      scale: 1 / supervised,
    };
  }

  destroy(): void {
    this.#llama.queue.release(this.#pool);
    this.#workspace.destroy();
    this.#head.destroy();
  }

  /** Examples of a step: the epochs' shuffled orders, cut into steps that do not cross an epoch's end. */
  #batch(step: number): TrainExample[] {
    const { gradAccumSteps, seed } = this.#config;
    const perEpoch = Math.ceil(this.#examples.length / gradAccumSteps);
    const order = epochOrder(this.#examples.length, seed, Math.floor(step / perEpoch));
    const first = (step % perEpoch) * gradAccumSteps;
    return order.slice(first, first + gradAccumSteps).map((index) => this.#examples[index] as TrainExample);
  }

  /** Forward and backward of one prompt; gradients and losses are added. Returns its supervised tokens. */
  async #microBatch(example: TrainExample, dropout: BackwardPass["dropout"]): Promise<number> {
    const rows = supervisedRows(example);
    const pass: BackwardPass = {
      llama: this.#llama,
      lora: this.#lora,
      workspace: this.#workspace,
      rows: example.ids.length,
      offset: 0,
      cache: null,
      dropout,
      loraGradients: this.#gradients,
    };
    writeTokens(pass, example.ids);
    await forward(pass);
    const hidden = this.#workspace.residual[this.#llama.config.layers];
    const grads = this.#workspace.gradients;
    if (hidden === undefined || grads === null) {
      throw new Error("expected a training workspace");
    }
    this.#head.loss(hidden, rows, grads.dx);
    await backward(pass);
    return rows.length;
  }

  #clearGradients(): void {
    this.#head.clearTotal();
    for (const buffer of this.#gradients.buffers) {
      this.#llama.queue.clear(buffer);
    }
  }

  #measureNorm(gradScale: number, maxNorm: number): void {
    const { queue } = this.#llama;
    let first = 0;
    const params = {
      ...{ groups: 0, gradScale, maxNorm, learningRate: 0, beta1: BETA1, beta2: BETA2, eps: EPS },
      ...{ weightDecay: 0, correction1: 1, correction2: 1 },
    };
    for (const g of this.#gradients.buffers) {
      const count = g.size / 4;
      queue.dispatch(squareSums, { g, partials: this.#partials }, { ...params, count, first });
      first += Math.ceil(count / SQUARES_PER_GROUP);
    }
    queue.dispatch(
      clipByGlobalNorm,
      { sums: this.#partials, state: this.#state },
      { ...params, count: first, groups: first, first: 0 },
    );
  }

  #update(step: number, supervised: number, learningRate: number): void {
    const { maxGradNorm, weightDecay } = this.#config;
    const gradScale = 1 / supervised;
    this.#measureNorm(gradScale, maxGradNorm);
    this.#gradients.buffers.forEach((g, page) => {
      const [m, v, weights] = [this.#m.buffers[page], this.#v.buffers[page], this.#lora.weights.buffers[page]];
      if (m === undefined || v === undefined || weights === undefined) {
        throw new Error(`expected moments of page ${page}, got none`);
      }
      this.#llama.queue.dispatch(
        adamUpdate,
        { g, decided: this.#state, m, v, weights },
        {
          ...{ count: g.size / 4, groups: 0, first: 0, gradScale, maxNorm: maxGradNorm, learningRate, weightDecay },
          ...{ beta1: BETA1, beta2: BETA2, eps: EPS },
          correction1: 1 - BETA1 ** (step + 1),
          correction2: 1 - BETA2 ** (step + 1),
        },
      );
    });
  }

  /** Finds the first tensor that is not finite, to name it. */
  async #notFinite(what: string, lossSum: number, batch: readonly TrainExample[]): Promise<TrainingError> {
    const { tensors } = await this.#lora.readPages(this.#gradients);
    const broken = [...tensors].find(([, { data }]) => !data.every(Number.isFinite));
    const scalar = Number.isFinite(lossSum) ? "the gradients' global norm" : "the loss";
    const where = broken === undefined ? scalar : `the gradient of ${broken[0]}`;
    const prompts =
      batch
        .slice(0, 8)
        .map(({ name }) => name)
        .join(", ") + (batch.length > 8 ? ", …" : "");
    return new TrainingError(
      `expected finite numbers in ${what}, got NaN or Infinity in ${where} (prompts ${prompts}; no weight was changed: lower the learning rate, or check the model file)`,
    );
  }
}
