/**
 * DPO on preference pairs (Rafailov et al. 2023, Eq. 7; OBP-LLM, Eq. 12 and 13; method.md, stage 3):
 * L' = mean over the step's pairs of −log σ(margin) + α · mean over the step's chosen tokens of −log π.
 * Both answers share their prompt's rows in one pass.
 */
import { BufferPool } from "../gpu/buffers.ts";
import { dpoLoss } from "../kernels/dpo.ts";
import { backward, type BackwardPass } from "../model/backward.ts";
import { forward, PLAIN_PASS, writeTokens } from "../model/forward.ts";
import { Head } from "../model/head.ts";
import type { Llama } from "../model/llama.ts";
import type { DpoExample } from "./dpoExamples.ts";
import type { ExampleSource } from "./examples.ts";
import type { Objective, PassSettings, StepLosses } from "./objective.ts";

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
  readonly #pool: BufferPool;
  readonly #pair: GPUBuffer; // log π of both answers, factors of both gradients
  readonly #totals: GPUBuffer;
  #pairs = 0;
  #chosenTokens = 0;

  constructor(llama: Llama, examples: ExampleSource<DpoExample>, options: DpoOptions) {
    this.#llama = llama;
    this.examples = examples;
    this.#options = options;
    this.#head = new Head(llama);
    this.#pool = new BufferPool(llama.queue.gpu);
    this.#pair = this.#pool.storage("preference pair", 16);
    this.#totals = this.#pool.storage("dpo totals", TOTALS * 4);
  }

  begin(batch: readonly DpoExample[]): void {
    this.#pairs = batch.length;
    this.#chosenTokens = batch.reduce((sum, { chosen }) => sum + chosen.length, 0);
    this.#llama.queue.clear(this.#totals);
  }

  async accumulate({ ids, tree, chosen, rejected, reference }: DpoExample, settings: PassSettings): Promise<void> {
    const pass: BackwardPass = { ...PLAIN_PASS, ...settings, rows: ids.length, tree };
    const { queue, config } = this.#llama;
    const hidden = settings.workspace.residual[config.layers];
    const dx = settings.workspace.gradients?.dx;
    if (hidden === undefined || dx === undefined) {
      throw new Error("expected a training workspace");
    }
    writeTokens(pass, ids);
    await forward(pass);
    this.#head.sumLogprobs(hidden, chosen, this.#pair, 0);
    this.#head.sumLogprobs(hidden, rejected, this.#pair, 1);
    const { beta, sftAlpha, dpopLambda } = this.#options;
    queue.dispatch(
      dpoLoss,
      { pair: this.#pair, totals: this.#totals },
      {
        ...{ rows: 0, side: 0, first: 0, refChosen: reference.chosen, refRejected: reference.rejected },
        ...{ beta, lambda: dpopLambda, pairShare: 1 / this.#pairs, tokenShare: sftAlpha / this.#chosenTokens },
      },
    );
    queue.clear(dx);
    this.#head.addGradient(hidden, chosen, dx, this.#pair, 2);
    this.#head.addGradient(hidden, rejected, dx, this.#pair, 3);
    await backward(pass);
  }

  async losses(): Promise<StepLosses> {
    const totals = new Float32Array(await this.#llama.queue.read(this.#totals, 0, TOTALS * 4));
    const [loss = NaN, nll = NaN, chosen = NaN, rejected = NaN, right = NaN, logChosen = NaN, logRejected = NaN] =
      totals.map((value, i) => value / (i === 1 ? this.#chosenTokens : this.#pairs));
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
    return this.#head.gpuBytes + this.#pool.bytes;
  }

  destroy(): void {
    this.#head.destroy();
    this.#llama.queue.release(this.#pool);
  }
}
