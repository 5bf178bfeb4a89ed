import type { AttentionView, EntityTokens } from "../../worker/protocol.ts";

/** The entity of a column, else the one that a row names. */
export function entityAt({ entities }: AttentionView, row: number, column: number): EntityTokens | undefined {
  return entities.find(({ columns }) => columns.includes(column)) ?? entities.find(({ rows }) => rows.includes(row));
}
