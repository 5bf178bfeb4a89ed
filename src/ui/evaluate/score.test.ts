import { describe, expect, it } from "vitest";
import type { PredictionRecord } from "../../storage/database.ts";
import type { Project } from "../../storage/project.ts";
import { marksOf, partOf, scoreAll, unpredicted } from "./score.ts";

const gold = { start: 0, end: 3, type: "person" };
const project: Project = {
  name: "p",
  types: [{ name: "person", definition: "people" }],
  documents: [
    {
      id: "a",
      text: "Ada met Bob.",
      entities: [gold, { start: 8, end: 11, type: "person" }],
      split: "heldout",
      done: true,
    },
    { id: "b", text: "Nobody came.", entities: [], split: "heldout", done: true },
    { id: "c", text: "Eve left.", entities: [gold], split: "heldout", done: false },
    { id: "d", text: "Kim stayed.", entities: [gold], split: "train", done: true },
  ],
};

function record(predictions: PredictionRecord["predictions"]): PredictionRecord {
  return { key: "k", model: "m", adapter: null, createdAt: 0, types: project.types, predictions };
}

describe("scoreAll", () => {
  it("scores held-out documents that are done, on those that all have predicted", () => {
    const both = record([
      { id: "a", text: "Ada met Bob.", entities: [gold] },
      { id: "b", text: "Nobody came.", entities: [{ start: 0, end: 6, type: "person" }] },
    ]);
    const onlyA = record([{ id: "a", text: "Ada met Bob.", entities: [] }]);
    const [first, second] = scoreAll(project, [both, onlyA]);
    expect(first?.gold.map(({ id }) => id)).toEqual(["a"]);
    expect(first?.evaluation.f1).toBeCloseTo(2 / 3, 12);
    expect(second?.evaluation.f1).toBe(0);
    expect(scoreAll(project, [both])[0]?.evaluation).toMatchObject({ tp: 1, fp: 1, fn: 1 });
  });

  it("leaves out a document whose text has changed since", () => {
    const stale = record([{ id: "a", text: "Another text", entities: [] }]);
    expect(scoreAll(project, [stale])[0]?.gold).toEqual([]);
  });
});

describe("partOf", () => {
  const held = project.documents.slice(0, 2);
  const a = { id: "a", text: "Ada met Bob.", entities: [] };
  it("says how many of the documents a stopped prediction is of", () => {
    expect(partOf(held, { ...record([a]), stopped: true })).toBe("1 of 2 documents, stopped");
    expect(unpredicted(held, record([a])).map(({ id }) => id)).toEqual(["b"]);
  });

  it("is silent where all are predicted, and counts none whose text has changed", () => {
    expect(partOf(held, record([a, { id: "b", text: "Nobody came.", entities: [] }]))).toBeNull();
    expect(partOf(held, record([a, { id: "b", text: "before", entities: [] }]))).toBe("1 of 2 documents");
    expect(unpredicted(held, null)).toEqual(held);
  });
});

describe("marksOf", () => {
  it("tells right, wrong and missed apart; a wrong edge is both wrong and missed", () => {
    const [document] = project.documents;
    if (document === undefined) throw new Error("expected a document");
    const predicted = { ...document, entities: [gold, { start: 4, end: 11, type: "person" }] };
    const marks = marksOf(document, predicted).map(({ start, end, kind }) => [start, end, kind]);
    expect(marks).toEqual([
      [0, 3, "right"],
      [4, 11, "wrong"],
      [8, 11, "missed"],
    ]);
  });
});
