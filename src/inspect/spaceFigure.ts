/** Entities of several adapters laid out in one plane (OBP-LLM, Fig. 5; method.md, Figures), with scores, as data. */
import type { CommandQueue } from "../gpu/queue.ts";
import type { Comparison } from "../train/compareRuns.ts";
import { clusterScores, type ClusterScores } from "./clusterScores.ts";
import { comparedJson, configurationColumn } from "./comparedFields.ts";
import { normals } from "./normals.ts";
import type { ComputeOptions } from "./pauses.ts";
import { principalComponents } from "./pca.ts";
import type { EntitySpan, Representation } from "./representations.ts";
import { runTsne, type TsneSettings } from "./tsne.ts";
import { pickVectors, type Vectors } from "./vectors.ts";

/** Neighbours that purity and trustworthiness look at. */
export const NEIGHBOURS = 12;
/** Deviation of the first coordinate where t-SNE starts. */
const START_SCALE = 1e-4;

/** How the plane was found. */
export type Layout =
  | {
      readonly method: "tsne";
      readonly settings: TsneSettings;
      readonly start: "pca" | "random";
      readonly seed: number;
      /** Iterations done. */
      readonly iterations: number;
      readonly klDivergence: number;
    }
  | { readonly method: "pca"; readonly explained: readonly [number, number] };

export interface SpaceFigure {
  readonly model: string;
  readonly layer: number;
  readonly representation: Representation;
  /** In the order of the types file. */
  readonly types: readonly string[];
  readonly spans: readonly EntitySpan[];
  /** Entities before a sample was drawn. */
  readonly found: number;
  readonly layout: Layout;
  /** Positions (n, 2), all in one plane. */
  readonly adapters: readonly {
    readonly name: string;
    readonly positions: Float32Array | Float64Array;
    /** By type; purity and trustworthiness at NEIGHBOURS. */
    readonly scores: ClusterScores;
  }[];
  /** As of AttentionFigure. */
  readonly compared?: Comparison | null;
}

export type LayoutChoice =
  | { readonly method: "pca" }
  | {
      readonly method: "tsne";
      readonly settings: TsneSettings;
      readonly start: "pca" | "random";
      readonly seed: number;
    };

export interface LayoutOptions {
  readonly signal?: AbortSignal;
  /** Iterations between two states; 50 where absent. */
  readonly every?: number;
  /** Hears iterations of PCA done, and the most there may be; before t-SNE too, which starts from them. */
  readonly onPca?: (done: number, most: number) => void;
  /** Hears each state on the way: iterations done and in all, and positions (n, 2). */
  readonly onState?: (iteration: number, total: number, positions: Float32Array) => void;
}

/** Lays all vectors out together. @throws Error where they cannot be; the signal's reason when stopped */
export async function layOut(
  queue: CommandQueue,
  vectors: Vectors,
  choice: LayoutChoice,
  { signal, every, onPca, onState }: LayoutOptions = {},
): Promise<{ layout: Layout; positions: Float32Array | Float64Array }> {
  const components = (): ReturnType<typeof principalComponents> =>
    principalComponents(vectors, {
      ...(signal === undefined ? {} : { signal }),
      ...(onPca === undefined ? {} : { onProgress: onPca }),
    });
  if (choice.method === "pca") {
    const { explained, positions } = await components();
    return { layout: { method: "pca", explained }, positions };
  }
  const { settings, start, seed } = choice;
  const first = start === "pca" ? scaled((await components()).positions) : null;
  const states = runTsne(queue, vectors, first ?? randomStart(vectors.n, seed), settings, {
    ...(signal === undefined ? {} : { signal }),
    ...(every === undefined ? {} : { every }),
  });
  for await (const { iteration, positions, klDivergence, finished } of states) {
    onState?.(iteration, settings.iterations, positions);
    if (finished) {
      return { layout: { method: "tsne", settings, start, seed, iterations: iteration, klDivergence }, positions };
    }
  }
  throw new Error("expected t-SNE to end with a state, got none (report this)");
}

/** Principal components scaled down; null where all vectors are the same, which would never part. */
function scaled(positions: Float64Array): Float32Array | null {
  const squares = positions.reduce((sum, value, i) => sum + (i % 2 === 0 ? value * value : 0), 0);
  const deviation = Math.sqrt((2 * squares) / positions.length);
  return deviation > 0 ? Float32Array.from(positions, (value) => (value / deviation) * START_SCALE) : null;
}

function randomStart(n: number, seed: number): Float32Array {
  return Float32Array.from(normals(2 * n, seed), (value) => START_SCALE * value);
}

/** Scores of one adapter's vectors and of where they came to stand. */
export function spaceScores(
  vectors: Vectors,
  positions: Float32Array | Float64Array,
  spans: readonly EntitySpan[],
  options?: ComputeOptions,
): Promise<ClusterScores> {
  const types = spans.map(({ type }) => type);
  return clusterScores(vectors, { data: positions, n: vectors.n, d: 2 }, types, NEIGHBOURS, options);
}

/** Vectors of several adapters below each other; all have the same number and width. */
export function joinVectors(parts: readonly Vectors[]): Vectors {
  const [first] = parts;
  const d = first?.d ?? 0;
  const data = new Float64Array(parts.reduce((sum, { n }) => sum + n * d, 0));
  parts.forEach((part, i) => data.set(part.data, i * part.n * d));
  return { data, n: d === 0 ? 0 : data.length / d, d };
}

/** The part of adapter i of `count` that were laid out together. */
export function partOf(positions: Float32Array | Float64Array, i: number, count: number): Float64Array {
  const n = positions.length / 2 / count;
  const rows = Array.from({ length: n }, (_, row) => i * n + row);
  return Float64Array.from(pickVectors({ data: positions, n: n * count, d: 2 }, rows).data);
}

/** What stands in the figure's JSON file. @param offset turns a UTF-16 offset of a span's document into the file's unit */
export function figureJson(
  { layout, adapters, spans, compared, ...figure }: SpaceFigure,
  offset: (span: EntitySpan, at: number) => number,
): Record<string, unknown> {
  const { method } = layout;
  const of = (value: (scores: ClusterScores) => unknown): Record<string, unknown> =>
    Object.fromEntries(adapters.map(({ name, scores }) => [name, value(scores)]));
  return {
    ...figure,
    method,
    ...(layout.method === "tsne"
      ? { ...layout.settings, start: layout.start, seed: layout.seed, iterations: layout.iterations }
      : { explainedVariance: layout.explained }),
    klDivergence: layout.method === "tsne" ? layout.klDivergence : null,
    silhouette: of(({ silhouette: both }) => both),
    neighbours: NEIGHBOURS,
    purity: of(({ purity }) => purity),
    trustworthiness: of(({ trustworthiness: value }) => value),
    points: adapters.flatMap(({ name, positions }) =>
      spans.map((span, i) => ({
        ...{ adapter: name, document: span.document, start: offset(span, span.start), end: offset(span, span.end) },
        ...{ text: span.text, type: span.type, x: positions[2 * i] ?? NaN, y: positions[2 * i + 1] ?? NaN },
      })),
    ),
    ...comparedJson(compared),
  };
}

/** One line a point (RFC 4180). */
export function figureCsv(figure: SpaceFigure, offset: (span: EntitySpan, at: number) => number): string {
  const own = configurationColumn(figure.compared);
  const lines = figure.adapters.flatMap(({ name, positions }, adapter) =>
    figure.spans.map((span, i) => {
      const place = [positions[2 * i] ?? NaN, positions[2 * i + 1] ?? NaN];
      const where = [offset(span, span.start), offset(span, span.end)];
      return [name, span.document, ...where, span.text, span.type, ...place].map(csvField).join(",") + own.of(adapter);
    }),
  );
  return [`adapter,document,start,end,text,type,x,y${own.title}`, ...lines].join("\r\n") + "\r\n";
}

function csvField(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
