/** Pause, go on, stop: asked for at any time, heeded between steps. */
export class JobControl {
  readonly #abort = new AbortController();
  #paused: { promise: Promise<void>; resume: () => void } | null = null;

  /** Cuts short what can be cut short (loading, predicting). */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  isPaused(): boolean {
    return this.#paused !== null;
  }

  pause(): void {
    if (this.isStopped() || this.#paused !== null) return;
    let resume = (): void => undefined;
    const promise = new Promise<void>((resolve) => (resume = resolve));
    this.#paused = { promise, resume };
  }

  resume(): void {
    this.#paused?.resume();
    this.#paused = null;
  }

  stop(): void {
    this.#abort.abort(new DOMException("stopped", "AbortError"));
    this.resume();
  }

  /** Resolves at once, or when a pause is over. */
  async waitWhilePaused(): Promise<void> {
    await this.#paused?.promise;
  }
}
