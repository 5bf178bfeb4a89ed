/** Adam (Kingma & Ba 2015) on LoRA weights, with clipping by global norm; gradients, moments and decisions stay on the GPU. */
import { BufferPool } from "../gpu/buffers.ts";
import { adamUpdate, clipByGlobalNorm, squareSums, SQUARES_PER_GROUP } from "../kernels/optimizer.ts";
import type { Llama } from "../model/llama.ts";
import { type Lora, LoraPages } from "../model/lora.ts";

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPS = 1e-8;

export interface AdamUpdate {
  /** Updates done before this one. */
  readonly step: number;
  /** Turns the accumulated sums into the gradient of the step's loss. */
  readonly gradScale: number;
  readonly maxGradNorm: number;
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** What a run goes on from, page by page: f32 in the GPU's own layout. */
export interface AdamState {
  readonly weights: readonly Float32Array<ArrayBuffer>[];
  readonly m: readonly Float32Array<ArrayBuffer>[];
  readonly v: readonly Float32Array<ArrayBuffer>[];
}

export class Adam {
  /** Accumulated by backward since `clear`. */
  readonly gradients: LoraPages;
  readonly #llama: Llama;
  readonly #lora: Lora;
  readonly #pool: BufferPool;
  readonly #m: LoraPages;
  readonly #v: LoraPages;
  readonly #partials: GPUBuffer;
  readonly #decided: GPUBuffer; // (norm, scale, finite)

  constructor(llama: Llama, lora: Lora) {
    this.#llama = llama;
    this.#lora = lora;
    this.#pool = new BufferPool(llama.queue.gpu);
    this.gradients = new LoraPages(this.#pool, "lora gradients", lora.pageSizes);
    this.#m = new LoraPages(this.#pool, "adam m", lora.pageSizes);
    this.#v = new LoraPages(this.#pool, "adam v", lora.pageSizes);
    const groups = lora.pageSizes.reduce((sum, size) => sum + Math.ceil(size / 4 / SQUARES_PER_GROUP), 0);
    this.#partials = this.#pool.storage("squared norms", groups * 4);
    this.#decided = this.#pool.storage("optimizer state", 16);
  }

  get gpuBytes(): number {
    return this.#pool.bytes;
  }

  /** Zeroes the gradients. */
  clear(): void {
    this.gradients.buffers.forEach((buffer) => this.#llama.queue.clear(buffer));
  }

  /** Measures the gradients' norm; one that is not finite closes the gate to every later update. */
  measure(gradScale: number, maxGradNorm: number): void {
    const { queue } = this.#llama;
    let first = 0;
    const params = { ...NO_UPDATE, gradScale, maxNorm: maxGradNorm };
    for (const g of this.gradients.buffers) {
      const count = g.size / 4;
      queue.dispatch(squareSums, { g, partials: this.#partials }, { ...params, count, first });
      first += Math.ceil(count / SQUARES_PER_GROUP);
    }
    queue.dispatch(
      clipByGlobalNorm,
      { sums: this.#partials, state: this.#decided },
      { ...params, count: first, groups: first, first: 0 },
    );
  }

  update({ step, gradScale, maxGradNorm, learningRate, weightDecay }: AdamUpdate): void {
    this.measure(gradScale, maxGradNorm);
    this.#lora.revision++;
    this.gradients.buffers.forEach((g, page) => {
      const [m, v, weights] = [this.#m.buffers[page], this.#v.buffers[page], this.#lora.weights.buffers[page]];
      if (m === undefined || v === undefined || weights === undefined) {
        throw new Error(`expected moments of page ${page}, got none`);
      }
      this.#llama.queue.dispatch(
        adamUpdate,
        { g, decided: this.#decided, m, v, weights },
        {
          ...{ ...NO_UPDATE, count: g.size / 4, first: 0, gradScale, maxNorm: maxGradNorm, learningRate, weightDecay },
          correction1: 1 - BETA1 ** (step + 1),
          correction2: 1 - BETA2 ** (step + 1),
        },
      );
    });
  }

  /** Global norm before clipping, and whether it was finite: only then has the update been made. */
  async norm(): Promise<{ norm: number; finite: boolean }> {
    const [norm = NaN, , finite] = new Float32Array(await this.#llama.queue.read(this.#decided, 0, 16));
    return { norm, finite: finite === 1 };
  }

  async state(): Promise<AdamState> {
    const read = async ({ buffers }: LoraPages) => {
      const pages: Float32Array<ArrayBuffer>[] = [];
      for (const buffer of buffers) {
        pages.push(new Float32Array(await this.#llama.queue.read(buffer)));
      }
      return pages;
    };
    return { weights: await read(this.#lora.weights), m: await read(this.#m), v: await read(this.#v) };
  }

  /** @throws Error where the state is another adapter's */
  restore({ weights, m, v }: AdamState): void {
    this.#lora.revision++;
    for (const [pages, saved] of [
      [this.#lora.weights, weights],
      [this.#m, m],
      [this.#v, v],
    ] as const) {
      pages.buffers.forEach((buffer, page) => {
        const data = saved[page];
        if (data?.byteLength !== buffer.size || saved.length !== pages.buffers.length) {
          throw new Error(
            `expected ${pages.buffers.length} pages of LoRA numbers, page ${page} of ${buffer.size} bytes, got ${saved.length}, ${data?.byteLength ?? 0} bytes (the state is another adapter's)`,
          );
        }
        this.#llama.queue.write(buffer, 0, data);
      });
    }
  }

  destroy(): void {
    this.#llama.queue.release(this.#pool);
  }
}

const NO_UPDATE = {
  ...{ groups: 0, learningRate: 0, beta1: BETA1, beta2: BETA2, eps: EPS },
  ...{ weightDecay: 0, correction1: 1, correction2: 1 },
};
