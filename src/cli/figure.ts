// What the verbs that draw have in common: the file to write, and adapters beside each other.
import { basename, extname } from "node:path";
import { FIGURE_FORMATS, type FigureFormat } from "../inspect/figureFile.ts";
import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import { readAdapter } from "./adapterFolder.ts";
import { UsageError } from "./errors.ts";
import type { Flag } from "./verb.ts";

/** The model without an adapter, among --adapter's values; a folder of that name is ./base. */
export const BASE = "base";

export const figureFlags = {
  zoom: { kind: "number", value: "Z", min: 0.1, max: 16, help: "png: pixels a point (default 2)" },
  out: { kind: "text", value: "FILE", required: true, help: "ends in .json, .csv, .svg or .png" },
} as const satisfies Record<string, Flag>;

export interface NamedAdapter {
  readonly name: string;
  /** Null: the model without one. */
  readonly folder: string | null;
  readonly weights: LoraWeights | null;
}

export function formatOf(out: string): FigureFormat {
  const ending = extname(out).toLowerCase();
  const format = FIGURE_FORMATS.find((name) => ending === `.${name}`);
  if (format === undefined) {
    throw new UsageError(`expected --out to end in ${FIGURE_FORMATS.map((name) => `.${name}`).join(", ")}, got ${out}`);
  }
  return format;
}

/** The adapters that --adapter names, the model itself where it names none. */
export function namedAdapters(adapter: readonly string[], most: number): NamedAdapter[] {
  const folders = adapter.length === 0 ? [BASE] : adapter;
  if (folders.length > most) {
    throw new UsageError(`expected at most ${most} adapters beside each other, got ${folders.length}`);
  }
  if (new Set(folders).size < folders.length) {
    throw new UsageError(`expected different adapters, got one of them twice: ${folders.join(", ")}`);
  }
  const short = folders.map((folder) => basename(folder));
  const names = new Set(short).size < short.length ? folders : short;
  return folders.map((folder, i) => ({
    name: names[i] ?? folder,
    folder: folder === BASE ? null : folder,
    weights: folder === BASE ? null : readAdapter(folder).weights,
  }));
}
