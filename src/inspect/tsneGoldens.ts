/** What scikit-learn makes of small real data sets (reference/tsne_goldens.py), for tests. */
import { readFileSync } from "node:fs";
import type { Vectors } from "./vectors.ts";

export interface TsneGolden {
  readonly name: string;
  readonly vectors: Vectors;
  readonly labels: readonly string[];
  /** (n, 2) where scikit-learn's t-SNE began. */
  readonly start: Float32Array;
  /** (n, 2) */
  readonly pca: readonly number[];
  /** Where scikit-learn has the points after so many iterations from that start, (n, 2). */
  readonly path: { readonly iterations: number; readonly positions: readonly number[] };
  /** Of scikit-learn in the end, from that start and from others a millionth off. */
  readonly klDivergences: readonly number[];
  /** With such steps, from a start so much wider, rounding leaves paths together; null where none were found. */
  readonly steady: {
    readonly startScale: number;
    readonly learningRate: number;
    readonly klDivergences: readonly number[];
  } | null;
  readonly trustworthiness12: number;
  readonly pcaTrustworthiness5: number;
  readonly silhouette: { readonly euclidean: number; readonly cosine: number };
  readonly purity10: number;
}

interface GoldenFile {
  readonly perplexity: number;
  readonly sets: Readonly<
    Record<
      string,
      Omit<TsneGolden, "name" | "vectors" | "labels" | "start"> & {
        readonly vectors: readonly (readonly number[])[];
        readonly labels: readonly (number | string)[];
        readonly start: readonly number[];
      }
    >
  >;
}

export function tsneGoldens(): { perplexity: number; sets: TsneGolden[] } {
  const file = JSON.parse(
    readFileSync(new URL("../../reference/goldens/tsne.json", import.meta.url), "utf8"),
  ) as GoldenFile;
  const sets = Object.entries(file.sets).map(([name, set]): TsneGolden => {
    const [n, d] = [set.vectors.length, set.vectors[0]?.length ?? 0];
    const vectors = { data: Float64Array.from(set.vectors.flat()), n, d };
    return { ...set, name, vectors, labels: set.labels.map(String), start: Float32Array.from(set.start) };
  });
  return { perplexity: file.perplexity, sets };
}
