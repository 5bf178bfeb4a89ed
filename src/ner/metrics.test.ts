import { describe, expect, it } from "vitest";
import type { Document, Entity, Hallucination } from "./document.ts";
import { scores, spanScores, stringSetScores } from "./metrics.ts";

const text = "Ana met Bo in Oslo and ana left";
const document = (spans: readonly [number, number, string][], hallucinated?: Hallucination[]): Document => ({
  id: "a",
  text,
  entities: spans.map(([start, end, type]): Entity => ({ start, end, type })),
  ...(hallucinated !== undefined && { hallucinated }),
});
const ana: [number, number, string] = [0, 3, "person"];
const bo: [number, number, string] = [8, 10, "person"];
const oslo: [number, number, string] = [14, 18, "place"];

describe("scores", () => {
  it("tp 2, fp 1, fn 2: precision 2/3, recall 1/2, F1 4/7", () => {
    const { precision, recall, f1 } = scores({ tp: 2, fp: 1, fn: 2 });
    expect(precision).toBeCloseTo(2 / 3, 15);
    expect(recall).toBe(0.5);
    expect(f1).toBeCloseTo(4 / 7, 15);
  });

  it("is 0 where a denominator is 0", () => {
    expect(scores({ tp: 0, fp: 0, fn: 0 })).toMatchObject({ precision: 0, recall: 0, f1: 0 });
    expect(scores({ tp: 0, fp: 3, fn: 0 })).toMatchObject({ precision: 0, recall: 0, f1: 0 });
  });
});

describe("spanScores", () => {
  it("counts start, end and type, and pools over documents", () => {
    const wrongType = document([ana, [14, 18, "person"]]);
    const result = spanScores([
      { gold: document([ana, bo, oslo]), predicted: wrongType },
      { gold: document([oslo]), predicted: document([oslo, [8, 13, "person"]]) },
    ]);
    expect(result).toMatchObject({
      tp: 2,
      fp: 2,
      fn: 2,
      support: 4,
      precision: 0.5,
      recall: 0.5,
      f1: 0.5,
      hallucinated: 0,
    });
    expect(Object.keys(result.byType)).toEqual(["person", "place"]);
    expect(result.byType).toMatchObject({
      person: { tp: 1, fp: 2, fn: 1, support: 2 },
      place: { tp: 1, fp: 0, fn: 1, support: 2 },
    });
  });

  it("counts hallucinations as false positives of their type", () => {
    const hallucinated = [
      { type: "place", text: "Rome" },
      { type: "river", text: "Po" },
    ];
    const result = spanScores([{ gold: document([oslo]), predicted: document([oslo], hallucinated) }]);
    expect(result).toMatchObject({ tp: 1, fp: 2, fn: 0, hallucinated: 2 });
    expect(result.byType["river"]).toMatchObject({ tp: 0, fp: 1, support: 0, hallucinated: 1, f1: 0 });
  });

  it("keeps types with spaces and digits apart", () => {
    const gold = document([
      [0, 3, "1 2 x"],
      [0, 3, "2 x"],
    ]);
    expect(spanScores([{ gold, predicted: document([]) }]).byType).toMatchObject({
      "1 2 x": { fn: 1 },
      "2 x": { fn: 1 },
    });
  });
});

describe("stringSetScores", () => {
  it("compares lower-cased sets: place and number of mentions do not count", () => {
    const lowerAna: [number, number, string] = [23, 26, "person"];
    expect(stringSetScores([{ gold: document([ana]), predicted: document([lowerAna]) }]).f1).toBe(1);
    expect(stringSetScores([{ gold: document([ana, lowerAna]), predicted: document([ana]) }])).toMatchObject({
      tp: 1,
      fn: 0,
    });
    const hallucinated = [
      { type: "place", text: "OSLO" },
      { type: "place", text: "Rome" },
    ];
    expect(stringSetScores([{ gold: document([oslo, bo]), predicted: document([], hallucinated) }])).toMatchObject({
      tp: 1,
      fp: 1,
      fn: 1,
    });
  });
});
