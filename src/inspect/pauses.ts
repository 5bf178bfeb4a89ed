/** Lets a worker hear messages while it computes: without pauses nothing could stop it, or tell how far it is. */

export interface ComputeOptions {
  /** Looked at in every pause. */
  readonly signal?: AbortSignal;
  /** Hears in every pause how much is done, of how much. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Work between two pauses, ms. */
const PAUSE_EVERY = 40;

export class Pauses {
  readonly #options: ComputeOptions;
  #last = performance.now();

  constructor(options: ComputeOptions) {
    this.#options = options;
  }

  /** Call it every few milliseconds of work; it pauses where it is time to. @throws the signal's reason when stopped */
  async due(done: number, total: number): Promise<void> {
    if (performance.now() - this.#last < PAUSE_EVERY) {
      return;
    }
    await new Promise((resume) => setTimeout(resume));
    this.#options.signal?.throwIfAborted();
    this.#options.onProgress?.(done, total);
    this.#last = performance.now();
  }
}
