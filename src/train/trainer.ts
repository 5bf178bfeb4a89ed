/**
 * The optimizer steps of a stage: forward, loss, backward, Adam. A step is one update over `gradAccumSteps` examples, in
 * packs (packing.ts) that are a micro-batch each; what is lost and how it is averaged is the objective's (sft.ts, dpo.ts).
 * Only scalars come back from the GPU.
 */
import type { Llama } from "../model/llama.ts";
import type { Lora, LoraPages } from "../model/lora.ts";
import { pcg } from "../kernels/random.ref.ts";
import { sumParts, trainingParts } from "../model/memoryPlan.ts";
import { nameSeed } from "../model/random.ts";
import type { Checkpointing } from "../model/residuals.ts";
import { Workspace } from "../model/workspace.ts";
import { checkTrainConfig, type TrainConfig } from "./config.ts";
import { DpoObjective } from "./dpo.ts";
import type { DpoExample } from "./dpoExamples.ts";
import { type ExampleSource, type ExamplesOptions, inMemory, type TrainExample } from "./examples.ts";
import { chosenCheckpointing } from "./memory.ts";
import type { LossTerm, Objective, ObjectiveExample, StepLosses } from "./objective.ts";
import { Adam, type AdamState } from "./optimizer.ts";
import { type Pack, packCapacity, packExamples } from "./packing.ts";
import { epochOrder, linearSchedule } from "./schedule.ts";
import { SftObjective } from "./sft.ts";

/** One optimizer step, under TRL's names; the terms of the loss follow where it has several (objective.ts). */
export type StepLog = Readonly<Partial<Record<LossTerm, number>>> & {
  readonly step: number;
  /** Epochs done, a fraction. */
  readonly epoch: number;
  /** What was minimized, nats: in SFT the mean −log-probability per supervised token. */
  readonly loss: number;
  readonly learning_rate: number;
  /** Global norm of the gradient before clipping. */
  readonly grad_norm: number;
  /** Tokens seen since the start, prompts included. */
  readonly num_tokens: number;
};

/** What a run needs to go on exactly: data order, schedule and dropout follow from the step and the configuration. */
export interface TrainerState extends AdamState {
  readonly stepsDone: number;
  readonly tokensSeen: number;
}

/** The run cannot go on: the step and tensor are named, and nothing was overwritten. */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
}

interface BegunStep {
  readonly step: number;
  readonly batch: readonly ObjectiveExample[];
  readonly packs: readonly Pack<ObjectiveExample>[];
}

export class Trainer {
  readonly totalSteps: number;
  readonly #llama: Llama;
  readonly #lora: Lora;
  readonly #objective: Objective;
  readonly #config: TrainConfig;
  readonly #workspace: Workspace;
  readonly #adam: Adam;
  /**
   * Whether the next step is begun while the scalars of the last are still on their way. Not on a software adapter, where
   * a stop would wait long for it and the processor has no idle time to fill.
   */
  startsAhead: boolean;
  /** A step whose first pack is accumulated, or on its way. */
  #begun: BegunStep | null = null;
  #order: { readonly epoch: number; readonly indices: number[] } | null = null;
  #stepsDone = 0;
  #tokensSeen = 0;
  #lastExamples: readonly string[] = [];

  constructor(llama: Llama, lora: Lora, objective: Objective, config: TrainConfig) {
    this.#llama = llama;
    this.#lora = lora;
    this.#objective = objective;
    this.#config = config;
    this.totalSteps = config.maxSteps ?? Math.ceil(config.epochs * this.stepsPerEpoch);
    const { length, longest } = objective.examples;
    const rows = packCapacity(config.packTokens, longest, Math.min(config.gradAccumSteps, length));
    const keep = checkpointingOf(llama, config, rows);
    this.#workspace = new Workspace(llama, rows, lora.R, keep, config.checkpointPrecision === "f16");
    this.#adam = new Adam(llama, lora);
    this.startsAhead = !llama.queue.gpu.isSoftware;
  }

  /**
   * Allocates everything SFT needs, with the attention contrastive loss where its weight is above 0, and compiles its
   * kernels.
   * @throws Error on an empty support set, a setting out of range, or a contrastive loss without an entity to read
   */
  static async create(
    llama: Llama,
    lora: Lora,
    examples: readonly TrainExample[] | ExampleSource,
    config: TrainConfig,
  ): Promise<Trainer> {
    checkTrainConfig(config);
    const source = "get" in examples ? examples : inMemory(examples);
    if (source.length === 0) {
      throw new Error("expected at least one training prompt, got none (label at least one sentence)");
    }
    const { contrastiveWeight: weight, contrastiveLayer: layer, contrastiveRope: rope } = config;
    if (weight > 0 && !("get" in examples)) {
      requireEntity(examples);
    }
    await llama.prepareTraining();
    return new Trainer(llama, lora, new SftObjective(llama, source, { weight, layer, rope }), config);
  }

  /**
   * The same for DPO.
   * @throws Error where there is no pair, or a setting is out of range
   */
  static async createDpo(
    llama: Llama,
    lora: Lora,
    pairs: readonly DpoExample[],
    config: TrainConfig,
  ): Promise<Trainer> {
    checkTrainConfig(config);
    if (pairs.length === 0) {
      throw new Error("expected at least one preference pair, got none (obp pairs makes them from labelled sentences)");
    }
    await llama.prepareTraining();
    return new Trainer(llama, lora, new DpoObjective(llama, inMemory(pairs), config), config);
  }

  get stepsDone(): number {
    return this.#stepsDone;
  }

  get stepsPerEpoch(): number {
    return Math.ceil(this.#objective.examples.length / this.#config.gradAccumSteps);
  }

  /** Names of the examples of the last step. */
  get lastExamples(): readonly string[] {
    return this.#lastExamples;
  }

  /** GPU bytes of training beyond the model's weights. */
  get gpuBytes(): number {
    return this.#adam.gpuBytes + this.#workspace.gpuBytes + this.#objective.gpuBytes + this.#lora.gpuBytes;
  }

  /**
   * One optimizer step.
   * @throws TrainingError when the gradient is not finite (the update has not been made); AbortError between micro-batches
   */
  async step(signal?: AbortSignal): Promise<StepLog> {
    const { warmupRatio, learningRate, maxGradNorm, weightDecay } = this.#config;
    const step = this.#stepsDone;
    const begun = this.#begun?.step === step ? this.#begun : await this.#begin(step, signal);
    this.#begun = null;
    const { batch } = begun;
    await this.#rest(begun, signal);
    const rate = linearSchedule(step, this.totalSteps, warmupRatio, learningRate);
    this.#adam.update({ step, gradScale: this.#objective.gradScale, maxGradNorm, learningRate: rate, weightDecay });
    const scalars = this.#scalars();
    if (this.startsAhead && step + 1 < this.totalSteps) {
      scalars.catch(() => undefined); // it is awaited below
      // Where it fails, the next step begins anew and says why: this one's update is made.
      this.#begun = await this.#begin(step + 1, signal).catch(() => null);
    }
    const { losses, norm, finite } = await scalars;
    if (!finite) {
      // The next step has overwritten the gradients that are to be named; the weights are as before.
      if (this.#begun !== null) await this.#rest(await this.#begin(step));
      this.#begun = null;
      throw await this.#notFinite(`step ${step + 1}`, losses.loss, batch);
    }
    this.#stepsDone++;
    this.#tokensSeen += batch.reduce((tokens, { ids }) => tokens + ids.length, 0);
    this.#lastExamples = batch.map(({ name }) => name);
    const { loss, ...terms } = losses;
    return {
      step: this.#stepsDone,
      epoch: this.#stepsDone / this.stepsPerEpoch,
      loss,
      learning_rate: rate,
      grad_norm: norm,
      num_tokens: this.#tokensSeen,
      ...terms,
    };
  }

  /**
   * Loss and gradients over all examples, without dropout and without an update. The gradients are pages × gradScale.
   * @throws TrainingError when they are not finite; AbortError between packs
   */
  async gradients({ signal, onProgress }: ExamplesOptions = {}): Promise<{
    losses: StepLosses;
    gradNorm: number;
    pages: LoraPages;
    gradScale: number;
  }> {
    const { examples } = this.#objective;
    const all: ObjectiveExample[] = [];
    for (let i = 0; i < examples.length; i++) {
      all.push(await examples.get(i));
    }
    this.#begun = null;
    this.#objective.begin(all);
    this.#adam.clear();
    let done = 0;
    for (const pack of this.#packs(all)) {
      signal?.throwIfAborted();
      await this.#accumulate(pack, null);
      onProgress?.((done += pack.examples.length), all.length);
    }
    const { gradScale } = this.#objective;
    this.#adam.measure(gradScale, 0);
    const { losses, norm, finite } = await this.#scalars();
    if (!finite) throw await this.#notFinite("the gradients", losses.loss, all);
    return { losses, gradNorm: norm, pages: this.#adam.gradients, gradScale };
  }

  /** Everything that steps have changed, read back. */
  async state(): Promise<TrainerState> {
    return { stepsDone: this.#stepsDone, tokensSeen: this.#tokensSeen, ...(await this.#adam.state()) };
  }

  /**
   * Goes on from a state of a run with the same configuration and examples, step for step as that run would have.
   * @throws Error where the state is another adapter's, or further than this run goes
   */
  restore(state: TrainerState): void {
    if (state.stepsDone > this.totalSteps) {
      throw new Error(`expected a state of at most ${this.totalSteps} steps, got ${state.stepsDone}`);
    }
    this.#begun = null;
    this.#adam.restore(state);
    this.#stepsDone = state.stepsDone;
    this.#tokensSeen = state.tokensSeen;
  }

  destroy(): void {
    this.#adam.destroy();
    this.#workspace.destroy();
    this.#objective.destroy();
  }

  /** The first pack of a step. @throws AbortError before it */
  async #begin(step: number, signal?: AbortSignal): Promise<BegunStep> {
    const batch = await this.#batch(step);
    signal?.throwIfAborted();
    this.#objective.begin(batch);
    this.#adam.clear();
    const begun = { step, batch, packs: this.#packs(batch) };
    await this.#accumulateOf(begun, 0);
    return begun;
  }

  /** The other packs. @throws AbortError between packs */
  async #rest(begun: BegunStep, signal?: AbortSignal): Promise<void> {
    for (let index = 1; index < begun.packs.length; index++) {
      signal?.throwIfAborted();
      await this.#accumulateOf(begun, index);
    }
  }

  async #accumulateOf({ step, packs }: BegunStep, index: number): Promise<void> {
    const { gradAccumSteps, seed, dropout: rate } = this.#config;
    const pack = packs[index];
    if (pack === undefined) return;
    const dropoutSeed = pcg((nameSeed("dropout", seed) + step * gradAccumSteps + index) >>> 0);
    await this.#accumulate(pack, { seed: dropoutSeed, rate });
  }

  /** Examples of a step: the epochs' shuffled orders, cut into steps that do not cross an epoch's end. */
  async #batch(step: number): Promise<ObjectiveExample[]> {
    const { gradAccumSteps, seed } = this.#config;
    const { examples } = this.#objective;
    const epoch = Math.floor(step / this.stepsPerEpoch);
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, indices: epochOrder(examples.length, seed, epoch) };
    }
    const first = (step % this.stepsPerEpoch) * gradAccumSteps;
    const batch: ObjectiveExample[] = [];
    for (const index of this.#order.indices.slice(first, first + gradAccumSteps)) {
      batch.push(await examples.get(index));
    }
    return batch;
  }

  #packs(batch: readonly ObjectiveExample[]): Pack<ObjectiveExample>[] {
    const tokens = Math.min(this.#config.packTokens, this.#workspace.capacity);
    return packExamples(batch, (example) => this.#objective.sequences(example), tokens);
  }

  #accumulate(
    pack: Pack<ObjectiveExample>,
    dropout: { readonly seed: number; readonly rate: number } | null,
  ): Promise<void> {
    const [llama, lora, workspace, loraGradients] = [this.#llama, this.#lora, this.#workspace, this.#adam.gradients];
    return this.#objective.accumulate(pack, { llama, lora, workspace, dropout, loraGradients });
  }

  /** What comes back of a step: reads are recorded at once, so that what follows may overwrite their sources. */
  async #scalars(): Promise<{ losses: StepLosses; norm: number; finite: boolean }> {
    const [losses, { norm, finite }] = await Promise.all([this.#objective.losses(), this.#adam.norm()]);
    return { losses, norm, finite: finite && Number.isFinite(losses.loss) };
  }

  /** Finds the first tensor that is not finite, to name it. */
  async #notFinite(what: string, loss: number, batch: readonly ObjectiveExample[]): Promise<TrainingError> {
    const { tensors } = await this.#lora.readPages(this.#adam.gradients);
    const broken = [...tensors].find(([, { data }]) => !data.every(Number.isFinite));
    const scalar = Number.isFinite(loss) ? "the gradients' global norm" : "the loss";
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

/** The mode of checkpointing for passes of so many rows on this device. */
function checkpointingOf(llama: Llama, settings: TrainConfig, rows: number): Checkpointing {
  const width = Math.max(...llama.head.parts.map(({ Np }) => Np));
  const bytesWith = (checkpointing: Checkpointing) =>
    llama.gpuBytes + sumParts(trainingParts(llama.config, width, { ...settings, rows, checkpointing }));
  return chosenCheckpointing(settings, llama.config.layers, bytesWith, llama.queue.gpu.capacity);
}

/** @throws Error where the attention contrastive loss would have nothing to read */
export function requireEntity(examples: readonly TrainExample[]): void {
  if (!examples.some(({ contrastive }) => (contrastive ?? null) !== null)) {
    throw new Error(
      "expected at least one prompt with an entity for the attention contrastive loss, got none (label an entity, or set contrastiveWeight to 0)",
    );
  }
}
