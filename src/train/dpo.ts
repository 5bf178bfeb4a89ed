/**
 * DPO on preference pairs (Rafailov et al. 2023, Eq. 7; OBP-LLM, Eq. 12 and 13; method.md, stage 3):
 * L' = mean over the step's pairs of −log σ(margin) + α · mean over the step's chosen tokens of −log π.
 * What the answers of a pass begin with is there once: their prompt, and a chosen answer that several pairs have.
 */
import { dpoFactors, dpoLoss, dpoSum } from "../kernels/dpo.ts";
import { backward, type BackwardPass } from "../model/backward.ts";
import { forward, PLAIN_PASS, writeTokens } from "../model/forward.ts";
import { Head } from "../model/head.ts";
import type { Llama } from "../model/llama.ts";
import { type DpoExample, pairSequences, pairTargets } from "./dpoExamples.ts";
import { type ExampleSource, responseLength } from "./examples.ts";
import type { Objective, PassSettings, StepLosses } from "./objective.ts";
import type { Pack } from "./packing.ts";
import { inverseLists, PassBuffers } from "./passBuffers.ts";

export interface DpoOptions {
  /** β of the margin. */
  readonly beta: number;
  /** α, the weight of the chosen answers' cross-entropy. */
  readonly sftAlpha: number;
  /** λ of DPO-Positive (Pal et al. 2024, Eq. 3); 0: plain DPO. */
  readonly dpopLambda: number;
}

/** Numbers that the kernel adds up (shaders/dpo.wgsl). */
const TOTALS = 7;

export class DpoObjective implements Objective<DpoExample> {
  readonly examples: ExampleSource<DpoExample>;
  readonly gradScale = 1;
  readonly #llama: Llama;
  readonly #head: Head;
  readonly #options: DpoOptions;
  readonly #buffers: PassBuffers;
  readonly #totals: GPUBuffer;
  #pairs = 0;
  #chosenTokens = 0;

  constructor(llama: Llama, examples: ExampleSource<DpoExample>, options: DpoOptions) {
    this.#llama = llama;
    this.examples = examples;
    this.#options = options;
    this.#head = new Head(llama);
    this.#buffers = new PassBuffers(llama.queue, "dpo");
    this.#totals = this.#buffers.buffer("totals", TOTALS);
  }

  sequences(pair: DpoExample): readonly (readonly number[])[] {
    return pairSequences(pair);
  }

  begin(batch: readonly DpoExample[]): void {
    this.#pairs = batch.length;
    this.#chosenTokens = batch.reduce((sum, { chosen }) => sum + responseLength(chosen), 0);
    this.#llama.queue.clear(this.#totals);
  }

  async accumulate(pack: Pack<DpoExample>, settings: PassSettings): Promise<void> {
    const { examples, ids, tree } = pack;
    const pass: BackwardPass = { ...PLAIN_PASS, ...settings, rows: ids.length, tree };
    const { queue, config } = this.#llama;
    const hidden = settings.workspace.residual[config.layers];
    const dx = settings.workspace.gradients?.dx;
    if (hidden === undefined || dx === undefined) {
      throw new Error("expected a training workspace");
    }
    writeTokens(pass, ids);
    await forward(pass);
    const { targets, answers } = pairTargets(pack);
    const slots = this.#head.score(hidden, targets);
    const factors = this.#lossFactors(
      examples,
      answers.map((own) => own.map((target) => slots[target] ?? NaN)),
    );
    queue.clear(dx);
    this.#head.addGradient(hidden, dx, factors);
    await backward(pass);
  }

  async losses(): Promise<StepLosses> {
    const [pairs, chosenTokens] = [this.#pairs, this.#chosenTokens]; // of the step that is read
    const totals = new Float32Array(await this.#llama.queue.read(this.#totals, 0, TOTALS * 4));
    const [loss = NaN, nll = NaN, chosen = NaN, rejected = NaN, right = NaN, logChosen = NaN, logRejected = NaN] =
      totals.map((value, i) => value / (i === 1 ? chosenTokens : pairs));
    return {
      loss: loss + this.#options.sftAlpha * nll,
      dpo_loss: loss,
      nll_loss: nll,
      "rewards/chosen": chosen,
      "rewards/rejected": rejected,
      "rewards/margins": chosen - rejected,
      "rewards/accuracies": right,
      "logps/chosen": logChosen,
      "logps/rejected": logRejected,
    };
  }

  get gpuBytes(): number {
    return this.#head.gpuBytes + this.#buffers.bytes;
  }

  destroy(): void {
    this.#head.destroy();
    this.#buffers.destroy();
  }

  /**
   * Adds the pairs' losses to the totals.
   * @param answers slots of the head's statistics that make up each answer, chosen and rejected in turn
   * @returns by what each slot's gradient is multiplied (slots)
   */
  #lossFactors(pairs: readonly DpoExample[], answers: readonly (readonly number[])[]): GPUBuffer {
    const { queue } = this.#llama;
    const buffers = this.#buffers;
    const { beta, sftAlpha, dpopLambda } = this.#options;
    const shares = { pairShare: 1 / this.#pairs, tokenShare: sftAlpha / this.#chosenTokens };
    const params = { count: answers.length, beta, lambda: dpopLambda, ...shares };
    const logps = buffers.buffer("log-probabilities", answers.length);
    const slopes = buffers.buffer("slopes", answers.length);
    const factors = buffers.buffer("factors", this.#head.slots);
    const references = buffers.floats(
      "references",
      pairs.flatMap(({ reference }) => [reference.chosen, reference.rejected]),
    );
    const answersOf = inverseLists(answers, 0);
    const slotLists = Array.from({ length: this.#head.slots }, (_, slot) => answersOf.get(slot) ?? []);
    queue.dispatch(dpoSum, { ...buffers.lists("answers", answers), stats: this.#head.stats, logps }, params);
    queue.dispatch(
      dpoLoss,
      { policy: logps, references, slopes, totals: this.#totals },
      { ...params, count: pairs.length },
    );
    queue.dispatch(
      dpoFactors,
      { ...buffers.lists("slots", slotLists), slope_of: slopes, factors_of: factors },
      { ...params, count: slotLists.length },
    );
    return factors;
  }
}
