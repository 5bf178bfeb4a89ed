/** Bytes held by all pools of a device, and the most at a time. */
export class MemoryCount {
  #bytes = 0;
  #peak = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get peak(): number {
    return this.#peak;
  }

  /** @param bytes below 0 where they are freed */
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#peak = Math.max(this.#peak, this.#bytes);
  }

  /** The most from now on. */
  resetPeak(): void {
    this.#peak = this.#bytes;
  }
}
