/**
 * Supervised fine-tuning (method.md, Eq. 2): cross-entropy on the responses, the mean over all supervised tokens of the
 * step, plus λ times the attention contrastive loss, the mean over the step's prompts with an entity (Eq. 5).
 */
import { backward, type BackwardPass } from "../model/backward.ts";
import { forward, PLAIN_PASS, writeTokens } from "../model/forward.ts";
import { Head } from "../model/head.ts";
import type { Llama } from "../model/llama.ts";
import { ContrastiveLoss, type ContrastiveOptions } from "./contrastive.ts";
import type { ContrastiveRows } from "./contrastiveRows.ts";
import { type ExampleSource, readTokens, supervisedRows, type TrainExample } from "./examples.ts";
import type { Objective, PassSettings, StepLosses } from "./objective.ts";
import type { Pack } from "./packing.ts";

export interface SftOptions extends ContrastiveOptions {
  /** λ; 0 leaves the contrastive loss out, "alone" the cross-entropy. */
  readonly weight: number | "alone";
}

export class SftObjective implements Objective<TrainExample> {
  readonly examples: ExampleSource;
  readonly contrastive: ContrastiveLoss | null;
  readonly #llama: Llama;
  readonly #head: Head;
  readonly #weight: number | "alone";
  /** Supervised tokens of the step, and its prompts with an entity. */
  #supervised = 0;
  #withEntity = 0;

  /** @throws Error on a layer that the model does not have */
  constructor(llama: Llama, examples: ExampleSource, options: SftOptions) {
    this.#llama = llama;
    this.examples = examples;
    this.#weight = options.weight;
    this.contrastive = options.weight === 0 ? null : new ContrastiveLoss(llama, options);
    this.#head = new Head(llama);
  }

  sequences(example: TrainExample): readonly (readonly number[])[] {
    return this.#weight === "alone" && !hasEntity(example) ? [] : [readTokens(example)];
  }

  begin(batch: readonly TrainExample[]): void {
    this.#supervised = batch.reduce((sum, example) => sum + supervisedRows(example).length, 0);
    this.#withEntity = batch.filter(hasEntity).length;
    this.#head.clearTotal();
    this.contrastive?.clearTotal();
  }

  async accumulate({ examples, ids, tree, rows }: Pack<TrainExample>, settings: PassSettings): Promise<void> {
    if (ids.length === 0) {
      return;
    }
    const rowsOf = (index: number): readonly number[] => rows[index]?.[0] ?? [];
    const prompts = examples.flatMap(({ contrastive }, i) => (contrastive ? [rowsIn(contrastive, rowsOf(i))] : []));
    const queryKeys = prompts.length === 0 ? null : (this.contrastive?.of(prompts, this.#promptWeight()) ?? null);
    const pass: BackwardPass = { ...PLAIN_PASS, ...settings, rows: ids.length, tree, queryKeys };
    const { residual, gradients } = settings.workspace;
    const layers = this.#weight === "alone" ? (this.contrastive?.layer ?? 0) + 1 : this.#llama.config.layers;
    const hidden = residual[layers];
    if (hidden === undefined || gradients === null) {
      throw new Error("expected a training workspace");
    }
    writeTokens(pass, ids);
    await forward(pass, layers);
    if (this.#weight === "alone") {
      this.#llama.queue.clear(gradients.dx);
    } else {
      const supervised = examples.flatMap((example, i) => supervisedRows(example, rowsOf(i)));
      this.#head.loss(hidden, supervised, gradients.dx);
    }
    await backward(pass, layers);
  }

  get gradScale(): number {
    return 1 / (this.#weight === "alone" ? this.#withEntity : this.#supervised);
  }

  async losses(): Promise<StepLosses> {
    const supervised = this.#supervised; // the next step's may stand there when the sums are back
    const [sums, found] = await Promise.all([
      this.#llama.queue.read(this.#head.total, 0, 8),
      this.contrastive?.total() ?? null,
    ]);
    const [lossSum = NaN] = new Float32Array(sums);
    const sft = lossSum / supervised;
    if (found === null || this.#weight === 0) {
      return { loss: sft };
    }
    const contrastive = found.prompts === 0 ? 0 : found.sum / found.prompts;
    return this.#weight === "alone"
      ? { loss: contrastive, contrastive_loss: contrastive }
      : { loss: sft + this.#weight * contrastive, sft_loss: sft, contrastive_loss: contrastive };
  }

  get gpuBytes(): number {
    return this.#head.gpuBytes + (this.contrastive?.gpuBytes ?? 0);
  }

  destroy(): void {
    this.#head.destroy();
    this.contrastive?.destroy();
  }

  /** All gradients are multiplied by gradScale at the end: this undoes it for what is a mean over prompts. */
  #promptWeight(): number {
    return this.#weight === "alone" ? 1 : (this.#weight * this.#supervised) / this.#withEntity;
  }
}

function hasEntity({ contrastive }: TrainExample): boolean {
  return (contrastive ?? null) !== null;
}

/** Token indices of a prompt as rows of its pass. */
function rowsIn({ type, entities, neighbours }: ContrastiveRows, rows: readonly number[]): ContrastiveRows {
  const place = (tokens: readonly number[]): number[] => tokens.map((token) => rows[token] ?? NaN);
  return { type: place(type), entities: entities.map(place), neighbours: place(neighbours) };
}
