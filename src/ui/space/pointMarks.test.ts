import { expect, test } from "vitest";
import { marksByCorrectness, marksByDocument, marksByType } from "./pointMarks.ts";

const text = "Ada met Bob in Rome.";
const point = (document: string, part: string, type: string) => ({
  ...{ document, start: text.indexOf(part), end: text.indexOf(part) + part.length, text: part, type },
});
const points = [
  point("a", "Ada", "person"),
  point("a", "Bob", "person"),
  point("a", "Rome", "place"),
  point("b", "Ada", "person"),
];
const gold = new Map(
  ["a", "b"].map((id) => [id, { id, text, entities: points.filter(({ document }) => document === id) }]),
);

test("by type and by document, with counts", () => {
  expect(marksByType(points, ["place", "person"]).groupOf).toEqual([1, 1, 0, 1]);
  expect(marksByType(points, ["place", "person"]).groups.map(({ count }) => count)).toEqual([1, 3]);
  const many = Array.from({ length: 64 }, (_, i) => point(`${i}`, "Ada", "person"));
  const { groups } = marksByDocument(many);
  expect(new Set(groups.map(({ color, shape }) => color + shape)).size).toBe(64);
  expect(marksByDocument(points).groupOf).toEqual([0, 0, 0, 1]);
});

test("by what became of the entity", () => {
  const [ada, , rome] = points;
  if (ada === undefined || rome === undefined) throw new Error("expected points");
  const entities = [ada, { ...rome, type: "person" }];
  const predicted = new Map([
    ["a", { id: "a", text, entities }],
    ["b", { id: "b", text: "Ada left.", entities: [] }],
  ]);
  const { groups, groupOf } = marksByCorrectness(points, gold, predicted);
  expect(groupOf.map((group) => groups[group]?.name)).toEqual(["right", "missed", "other type", "not predicted"]);
  const longer = new Map([["a", { id: "a", text, entities: [{ start: 0, end: 7, type: "person" }] }]]);
  const marks = marksByCorrectness(points, gold, longer);
  expect(marks.groups[marks.groupOf[0] ?? -1]?.name).toBe("wrong edges");
});
