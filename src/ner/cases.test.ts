import { expect, test } from "vitest";
import { caseOf, isShownCase } from "./cases.ts";
import type { Document, Entity } from "./document.ts";

// The first case of the paper's Fig. 6.
const text = "the hood opening reminds me of a classic saab 900 .";
const at = (part: string, type = "product"): Entity => {
  const start = text.indexOf(part);
  return { start, end: start + part.length, type };
};
const document = (...entities: Entity[]): Document => ({ id: "a", text, entities });
const saab = at("saab 900");
const longer = at("a classic saab 900");
const types = ["product", "person"];

test("a boundary error that is gone is one fix, and the other way one break", () => {
  const fixed = caseOf(document(saab), document(longer), document(saab), types);
  expect(fixed).toMatchObject({ fixed: 1, broken: 0, changed: true });
  const broken = caseOf(document(saab), document(saab), document(longer), types);
  expect(broken).toMatchObject({ fixed: 0, broken: 1, changed: true });
  expect(isShownCase(fixed, "fixed", null)).toBe(true);
  expect(isShownCase(fixed, "broken", null)).toBe(false);
  expect(isShownCase(broken, "broken", null)).toBe(true);
  expect(isShownCase(broken, "fixed", null)).toBe(false);
});

test("boundary errors are found before and after, by kind", () => {
  const one = caseOf(document(saab), document(longer), document(saab), types);
  const other = caseOf(document(saab), document(saab), document(at("900")), types);
  expect(isShownCase(one, "boundary", null)).toBe(true);
  expect(isShownCase(one, "boundary", "longer")).toBe(true);
  expect(isShownCase(one, "boundary", "shorter")).toBe(false);
  expect(isShownCase(other, "boundary", "shorter")).toBe(true);
  expect(isShownCase(caseOf(document(saab), document(), document(saab), types), "boundary", null)).toBe(false);
});

test("one wrong edge for another is a change, and neither fixed nor broken", () => {
  const one = caseOf(document(saab), document(longer), document(at("saab")), types);
  expect(one).toMatchObject({ fixed: 0, broken: 0, changed: true });
});

test("predictions of nothing count when they come and go, invented text too", () => {
  const hood = at("hood");
  expect(caseOf(document(saab), document(saab, hood), document(saab), types)).toMatchObject({ fixed: 1, broken: 0 });
  expect(caseOf(document(saab), document(saab), document(saab, hood), types)).toMatchObject({ fixed: 0, broken: 1 });
  const inventing = { ...document(saab), hallucinated: [{ type: "person", text: "Ada" }] };
  expect(caseOf(document(saab), inventing, document(saab), types)).toMatchObject({
    fixed: 1,
    broken: 0,
    changed: true,
  });
  // It stays, and only what it is matched with is another.
  expect(caseOf(document(saab), document(saab, longer), document(longer), types)).toMatchObject({
    fixed: 0,
    broken: 1,
  });
});

test("what was not asked for does not count, and the same is no change", () => {
  const one = caseOf(document(saab, at("hood", "part")), document(saab), document(saab, at("hood", "part")), types);
  expect(one).toMatchObject({ fixed: 0, broken: 0, changed: false });
  expect(one.gold.entities).toEqual([saab]);
  expect(isShownCase(one, "all", null)).toBe(true);
  expect(isShownCase(one, "changed", null)).toBe(false);
});
