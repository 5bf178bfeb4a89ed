/**
 * One sentence's attention map at several times of a training. What it keeps is bounded: where it is full, every second
 * map is dropped, and from then on only every second one is kept; the first and the newest always are.
 */
import { type AttentionFigure, differences } from "./attentionFigure.ts";
import { type AttentionPictureOptions, largest } from "./attentionPicture.ts";

export interface MapMoment {
  /** The run's name, and how many of its steps are done. */
  readonly run: string;
  readonly step: number;
}

interface Frame extends MapMoment {
  readonly weights: Float32Array;
  /** How many maps were taken before it. */
  readonly taken: number;
}

/** Largest values so far, by whether the first token is off the scale. */
interface Largest {
  values: number;
  differences: number;
}

export class MapHistory {
  readonly #figure: Omit<AttentionFigure, "adapters">;
  readonly #most: number;
  #frames: Frame[] = [];
  #keptEvery = 1;
  #taken = 0;
  readonly #largest = { all: { values: 0, differences: 0 }, withoutFirst: { values: 0, differences: 0 } };

  /** @param figure what every map is of @param mostBytes of all maps that are kept */
  constructor(figure: Omit<AttentionFigure, "adapters">, mostBytes: number) {
    this.#figure = figure;
    const heads = figure.head === "all" ? figure.heads : 1;
    const bytes = 4 * heads * figure.rows.length * figure.columns.length;
    this.#most = Math.max(3, Math.floor(mostBytes / bytes));
  }

  get moments(): readonly MapMoment[] {
    return this.#frames.map(({ run, step }) => ({ run, step }));
  }

  /** 1: all maps that were taken are there; n: every n-th. */
  get keptEvery(): number {
    return this.#keptEvery;
  }

  /** @param weights (heads, rows, columns) */
  add(moment: MapMoment, weights: Float32Array): void {
    const last = this.#frames.at(-1);
    // The newest stays only until there is a newer one, where it is not its turn.
    if (last !== undefined && last.taken % this.#keptEvery !== 0) this.#frames.pop();
    this.#frames.push({ ...moment, weights, taken: this.#taken++ });
    this.#widen(this.#frames.at(0)?.weights ?? weights, weights);
    while (this.#frames.length > this.#most) {
      this.#keptEvery *= 2;
      const newest = this.#frames.length - 1;
      this.#frames = this.#frames.filter(({ taken }, i) => i === newest || taken % this.#keptEvery === 0);
    }
  }

  /** The first map and the index-th, which is the first itself at 0. @throws Error where there is none */
  figure(index: number): AttentionFigure {
    const [first, now] = [this.#frames[0], this.#frames[index]];
    if (first === undefined || now === undefined) {
      throw new Error(`expected one of ${this.#frames.length} maps, got ${index} (wait for the first)`);
    }
    const several = this.#frames.some(({ run }) => run !== first.run);
    const named = ({ run, step, weights }: Frame) => ({
      name: several ? `${run}, step ${step}` : `step ${step}`,
      weights,
    });
    return { ...this.#figure, adapters: index === 0 ? [named(first)] : [named(first), named(now)] };
  }

  /** One scale for all times. */
  options(drawn: Omit<AttentionPictureOptions, "top">): AttentionPictureOptions {
    const { values, differences: changes } = drawn.hideFirst ? this.#largest.withoutFirst : this.#largest.all;
    return { ...drawn, top: drawn.difference ? changes : values };
  }

  #widen(first: Float32Array, weights: Float32Array): void {
    const columns = this.#figure.columns.length;
    const adapters = [first, weights].map((one, i) => ({ name: `${i}`, weights: one }));
    const change = differences({ adapters })[0]?.weights ?? weights;
    const widen = (known: Largest, hideFirst: boolean): void => {
      known.values = Math.max(known.values, largest(weights, columns, hideFirst));
      known.differences = Math.max(known.differences, largest(change, columns, hideFirst));
    };
    widen(this.#largest.all, false);
    widen(this.#largest.withoutFirst, true);
  }
}
