/** A list of numbers that grows and takes a few bytes each, where an array of millions would be too large. */
export class Growing<T extends Uint32Array | Float64Array> {
  readonly #make: (length: number) => T;
  #values: T;
  #length = 0;

  /** @param make of so many zeros */
  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#values = make(1024);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = this.#make(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** @throws RangeError where there is no such value */
  at(index: number): number {
    const value = index < this.#length ? this.#values[index] : undefined;
    if (value === undefined) {
      throw new RangeError(`expected an index below ${this.#length}, got ${index}`);
    }
    return value;
  }
}
