/** How much attention of a response falls on gold entities, head by head over all layers: data, JSON and CSV. */
import type { Comparison } from "../train/compareRuns.ts";
import { comparedJson, configurationColumn } from "./comparedFields.ts";
import { csvField } from "./csvField.ts";
import type { MapPrompt } from "./mapPrompt.ts";

export interface MassFigure {
  readonly model: string;
  readonly type: string;
  /** Tokens of the response, and of the gold entities in the sentence. */
  readonly rows: number;
  readonly entityTokens: number;
  readonly adapters: readonly AdapterMass[];
  /** As of AttentionFigure. */
  readonly compared?: Comparison | null;
}

/** (layers, heads): mean over the response's tokens of the attention on a set of the prompt's tokens. */
export interface AdapterMass {
  readonly name: string;
  readonly entities: readonly (readonly number[])[];
  /** The type's name in the instruction, and the first token. */
  readonly type: readonly (readonly number[])[];
  readonly first: readonly (readonly number[])[];
}

/** Mean over all layers and heads. */
export function meanMass(mass: readonly (readonly number[])[]): number {
  const values = mass.flat();
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What each adapter after the first adds to the first, on gold entities: (layers, heads). */
export function massChanges({ adapters }: MassFigure): { name: string; mass: number[][] }[] {
  const [first, ...others] = adapters;
  return others.map(({ name, entities }) => ({
    name: `${name} − ${first?.name}`,
    mass: entities.map((row, l) => row.map((value, h) => value - (first?.entities[l]?.[h] ?? NaN))),
  }));
}

/** What attentionMass is asked: all rows of the response, and the sets of AdapterMass in their order. */
export interface MassAsked {
  readonly rows: readonly number[];
  readonly sets: readonly [entities: readonly number[], type: readonly number[], first: readonly number[]];
}

/** @param hint what to do where the sentence has none @throws Error where it has no gold entity */
export function massAsked(
  { ids, responseStart, type, entities }: MapPrompt,
  typeName: string,
  hint: string,
): MassAsked {
  if (entities.length === 0) {
    throw new Error(
      `expected at least one entity of type ${typeName} in the sentence to measure attention on, got none (${hint})`,
    );
  }
  const rows = ids.map((_, row) => row).slice(responseStart);
  return { rows, sets: [[...new Set(entities.flat())], type, [0]] };
}

export function massJson({ compared, ...figure }: MassFigure): Record<string, unknown> {
  const [first] = figure.adapters;
  return {
    ...figure,
    layers: first?.entities.length,
    heads: first?.entities[0]?.length,
    adapters: figure.adapters.map((one) => ({ ...one, mean: meanMass(one.entities) })),
    ...comparedJson(compared),
  };
}

export function massCsv({ adapters, compared }: MassFigure): string {
  const own = configurationColumn(compared);
  const lines = adapters.flatMap(({ name, entities, type, first }, i) =>
    entities.flatMap((heads, layer) =>
      heads.map((value, head) => {
        const values = [layer, head, value, type[layer]?.[head], first[layer]?.[head]];
        return [csvField(name), ...values].join(",") + own.of(i);
      }),
    ),
  );
  return `adapter,layer,head,entities,type,first${own.title}\n${lines.join("\n")}\n`;
}
