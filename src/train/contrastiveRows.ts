/** Which rows the attention contrastive loss reads in a prompt (OBP-LLM, 3.3, Eq. 3 and 4; method.md, stage 2). */
import type { Entity } from "../ner/document.ts";
import type { PromptEncoding } from "../ner/prompt.ts";

/** `mean`: all tokens of a name; `ancestor`: the type's first token, an entity's first and last. */
export const POOLINGS = ["mean", "ancestor"] as const;
export type Pooling = (typeof POOLINGS)[number];

/** Rows (token indices) of a prompt with at least one entity. */
export interface ContrastiveRows {
  /** Of the type's name in the instruction. */
  readonly type: readonly number[];
  /** Of each gold entity of the type. */
  readonly entities: readonly (readonly number[])[];
  /** The token left and the token right of each entity, those outside the sentence or inside an entity left out. */
  readonly neighbours: readonly number[];
}

/** The tokens that hold a character of the range [start, end) of the text. */
export function rowsOver(offsets: PromptEncoding["offsets"], start: number, end: number): number[] {
  return offsets.flatMap(([from, to], row) => (from < end && to > start ? [row] : []));
}

/**
 * @param entities gold entities of the sentence, of any type
 * @returns null where the sentence has no entity of the type
 * @throws Error where an entity or the type's name has no token
 */
export function contrastiveRows(
  { offsets, sentence, typeMention }: PromptEncoding,
  entities: readonly Entity[],
  type: string,
  pooling: Pooling,
): ContrastiveRows | null {
  const own = entities.filter((entity) => entity.type === type);
  if (own.length === 0) {
    return null;
  }
  const spans = own.map(({ start, end }) => {
    const rows = rowsOver(offsets, sentence[0] + start, sentence[0] + end);
    if (rows.length === 0) {
      throw new Error(
        `expected tokens under the entity at ${start}–${end}, got none (is it of white space only? correct its offsets)`,
      );
    }
    return rows;
  });
  const inside = new Set(spans.flat());
  const neighbours = spans.flatMap((rows) =>
    [(rows[0] ?? 0) - 1, (rows.at(-1) ?? 0) + 1].filter((row) => {
      const [from, to] = offsets[row] ?? [0, 0];
      return from < sentence[1] && to > sentence[0] && !inside.has(row);
    }),
  );
  const mention = rowsOver(offsets, ...typeMention);
  return {
    type: pooling === "mean" ? mention : mention.slice(0, 1),
    entities: pooling === "mean" ? spans : spans.map((rows) => [...new Set([rows[0] ?? 0, rows.at(-1) ?? 0])]),
    neighbours,
  };
}
