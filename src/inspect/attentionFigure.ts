/** An attention map of up to three adapters as data, and as JSON and CSV. */
import type { Comparison } from "../train/compareRuns.ts";
import type { HeadChoice } from "./attentionMap.ts";
import { comparedJson, configurationColumn } from "./comparedFields.ts";
import type { MapToken } from "./mapPrompt.ts";

export interface AttentionFigure {
  readonly model: string;
  readonly layer: number;
  readonly head: HeadChoice;
  /** Heads of the layer. */
  readonly heads: number;
  /** Of entity. */
  readonly type: string;
  /** Tokens of the response, and of the prompt. */
  readonly rows: readonly MapToken[];
  readonly columns: readonly MapToken[];
  readonly adapters: readonly AdapterMap[];
  /** How the trainings of the adapters differ; nothing is said where it is not there. */
  readonly compared?: Comparison | null;
}

export interface AdapterMap {
  readonly name: string;
  /** (heads, rows, columns); one head where not all are shown. */
  readonly weights: Float32Array;
}

/** Adapters beside each other that a picture has room for. */
export const MOST_ADAPTERS = 3;

/** What each adapter after the first adds to the first. @throws Error with fewer than two */
export function differences({ adapters }: Pick<AttentionFigure, "adapters">): AdapterMap[] {
  const [first, ...others] = adapters;
  if (first === undefined || others.length === 0) {
    throw new Error("expected two adapters at least for their difference, got one (base is the model without any)");
  }
  return others.map(({ name, weights }) => ({
    name: `${name} − ${first.name}`,
    weights: weights.map((value, i) => value - (first.weights[i] ?? NaN)),
  }));
}

/** cli.md's fields: weights (rows × columns, or heads × rows × columns) of one adapter, adapters of several. */
export function figureJson(figure: AttentionFigure, difference: boolean): Record<string, unknown> {
  const { model, layer, head, type, rows, columns, adapters } = figure;
  const named = (list: readonly AdapterMap[]): unknown =>
    list.map(({ name, weights }) => ({ name, weights: nested(figure, weights) }));
  const [first] = adapters;
  return {
    ...{ model, layer, head, type },
    rows: rows.map(({ text }) => text),
    columns: columns.map(({ text }) => text),
    rowRoles: rows.map(({ role }) => role),
    columnRoles: columns.map(({ role }) => role),
    ...(adapters.length === 1 && first !== undefined
      ? { name: first.name, weights: nested(figure, first.weights) }
      : { adapters: named(adapters) }),
    ...(difference ? { differences: named(differences(figure)) } : {}),
    ...comparedJson(figure.compared),
  };
}

/** One line a cell, so that any statistics program reads it; of several adapters it ends with what is the one's own. */
export function figureCsv(figure: AttentionFigure, difference: boolean): string {
  const { rows, columns, layer } = figure;
  const own = configurationColumn(figure.compared);
  const lines = [`adapter,layer,head,row,row_token,row_role,column,column_token,column_role,weight${own.title}`];
  const maps = [...figure.adapters, ...(difference ? differences(figure) : [])];
  for (const [map, { name, weights }] of maps.entries()) {
    const configuration = own.of(map);
    for (const [h, head] of headsOf(figure).entries()) {
      for (const [i, row] of rows.entries()) {
        for (const [j, column] of columns.entries()) {
          const value = rounded(weights[(h * rows.length + i) * columns.length + j]);
          const of = (token: MapToken): string => `${quoted(token.text)},${token.role}`;
          lines.push([quoted(name), layer, head, i, of(row), j, of(column), value].join(",") + configuration);
        }
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

/** What the figure shows head by head. */
export function headsOf({ head, heads }: AttentionFigure): (number | "mean")[] {
  return head === "all" ? Array.from({ length: heads }, (_, h) => h) : [head];
}

function nested(figure: AttentionFigure, weights: Float32Array): unknown {
  const { rows, columns, head } = figure;
  const maps = headsOf(figure).map((_, h) =>
    rows.map((_row, i) => columns.map((_column, j) => rounded(weights[(h * rows.length + i) * columns.length + j]))),
  );
  return head === "all" ? maps : maps[0];
}

/** Nine digits are all that an f32 has. */
function rounded(value = NaN): number {
  return Number(value.toPrecision(9));
}

/** RFC 4180; line breaks stay, inside quotes. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
