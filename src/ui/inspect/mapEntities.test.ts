import { expect, test } from "vitest";
import type { AttentionView } from "../../worker/protocol.ts";
import { entityAt } from "./mapEntities.ts";

const view = {
  entities: [
    { start: 0, end: 5, columns: [13, 14], rows: [6, 7] },
    { start: 9, end: 12, columns: [17], rows: [] },
  ],
} as unknown as AttentionView;

test("a framed column is its entity, whatever the row; else a row is the entity that it names", () => {
  expect(entityAt(view, 0, 14)?.start).toBe(0);
  expect(entityAt(view, 6, 17)?.start).toBe(9);
  expect(entityAt(view, 7, 2)?.start).toBe(0);
  expect(entityAt(view, 0, 0)).toBeUndefined();
});
