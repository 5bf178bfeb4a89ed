// A peer of the benchmarks: druid's exact t-SNE in JavaScript. A development dependency, loaded when asked for; 0.7.3 is
// its last release under BSD.
import type * as Druid from "@saehrimnir/druidjs";
import type { Vectors } from "../inspect/vectors.ts";

const SEED = 1212;

export class DruidPeer {
  readonly name = "druid";
  readonly #druid: typeof Druid;

  private constructor(druid: typeof Druid) {
    this.#druid = druid;
  }

  /** @throws Error where the package is missing */
  static async open(): Promise<DruidPeer> {
    try {
      return new DruidPeer(await import("@saehrimnir/druidjs"));
    } catch (error) {
      throw new Error("expected the package @saehrimnir/druidjs, got none (npm install, or --peer none)", {
        cause: error,
      });
    }
  }

  /** From a start of its own, with its own learning rate and schedule. @returns positions (n, 2) */
  tsne({ data, n, d }: Vectors, perplexity: number, iterations: number): Float64Array {
    const rows = Array.from({ length: n }, (_, i) => [...data.subarray(i * d, (i + 1) * d)]);
    const layout = new this.#druid.TSNE(rows, { perplexity, seed: SEED }).transform(iterations);
    return Float64Array.from(layout.flatMap((row) => Array.from(row)));
  }
}
