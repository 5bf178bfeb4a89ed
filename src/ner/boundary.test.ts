import { describe, expect, it } from "vitest";
import { boundarySummary, matchEntities } from "./boundary.ts";
import type { Document, Entity } from "./document.ts";

// Words: 0 Ana 1 Maria 2 Ruiz 3 of 4 my 5 Harbour 6 Press 7 sings
const words = ["Ana", "Maria", "Ruiz", "of", "my", "Harbour", "Press", "sings"];
const ranges = words.map((word, index): [number, number] => {
  const start = words.slice(0, index).join(" ").length + (index > 0 ? 1 : 0);
  return [start, start + word.length];
});
/** An entity from word `first` to word `last`. */
const span = (first: number, last: number, type = "P"): Entity => ({
  start: ranges[first]?.[0] ?? -1,
  end: ranges[last]?.[1] ?? -1,
  type,
});
const document = (entities: Entity[]): Document => ({ id: "a", text: words.join(" "), entities, words: ranges });
const pair = (gold: Entity[], predicted: Entity[]) => ({ gold: document(gold), predicted: document(predicted) });
const counts = (gold: Entity[], predicted: Entity[]) => boundarySummary([pair(gold, predicted)]);

describe("one gold entity, one prediction", () => {
  const gold = [span(1, 3)];
  it.each([
    ["exact", span(1, 3), { TP: 1, BE: 0, rate: 0, f1IfFixed: 1 }],
    ["exact, other type", span(1, 3, "Q"), { LE: 1, BE: 0, f1IfFixed: 0, shareOfErrors: 0 }],
    [
      "shorter on the left",
      span(2, 3),
      { BE: 1, BES: 1, leftEdge: 1, withinOneWord: 1, rate: 1, shareOfFound: 1, shareOfErrors: 1 },
    ],
    ["shorter on both sides", span(2, 2), { BES: 1, bothEdges: 1, withinOneWord: 1 }],
    ["shorter by two words", span(1, 1), { BES: 1, rightEdge: 1, withinOneWord: 0 }],
    ["longer on the right", span(1, 4), { BEL: 1, rightEdge: 1, withinOneWord: 1, f1IfFixed: 1 }],
    ["longer by two words", span(1, 5), { BEL: 1, rightEdge: 1, withinOneWord: 0 }],
    ["shifted by one word", span(2, 4), { BEO: 1, bothEdges: 1, withinOneWord: 1 }],
    ["shifted by two words", span(3, 5), { BEO: 1, bothEdges: 1, withinOneWord: 0 }],
    ["overlapping, other type", span(2, 4, "Q"), { LBE: 1, BE: 0, FP: 0, FN: 0 }],
    ["elsewhere", span(5, 5), { FP: 1, FN: 1, BE: 0, LBE: 0 }],
  ])("%s", (_, predicted, expected) => {
    expect(counts(gold, [predicted])).toMatchObject(expected);
  });

  it("an edge inside a word is wrong by no word", () => {
    const [outcome] = matchEntities(pair([span(1, 2)], [{ ...span(1, 2), end: span(1, 2).end - 1 }]));
    expect(outcome).toMatchObject({
      kind: "BE",
      boundary: "shorter",
      rightWrong: true,
      leftWrong: false,
      withinOneWord: true,
    });
  });
});

describe("the order of matching", () => {
  it("an exact match is never given to a neighbour that overlaps more", () => {
    expect(counts([span(0, 1), span(0, 3)], [span(0, 1)])).toMatchObject({ TP: 1, BE: 0, FN: 1 });
  });

  it("an exact span of another type comes before an overlapping one of the same type", () => {
    expect(counts([span(0, 1, "P")], [span(0, 1, "Q"), span(0, 2, "P")])).toMatchObject({ LE: 1, BE: 0, FP: 1 });
  });

  it("an overlapping span of the same type comes before one of another type that shares more words", () => {
    expect(counts([span(0, 3, "P")], [span(0, 2, "Q"), span(3, 4, "P")])).toMatchObject({
      BE: 1,
      BEO: 1,
      LBE: 0,
      FP: 1,
    });
  });

  it("most shared words win, even against more shared characters", () => {
    // "of my" is two words of five characters, "Harbour" one word of seven.
    const outcomes = matchEntities(pair([span(3, 5)], [span(5, 6), span(2, 4)]));
    expect(outcomes).toMatchObject([
      { kind: "BE", predicted: span(2, 4) },
      { kind: "FP", predicted: span(5, 6) },
    ]);
  });

  it("ties go to more characters, then nearer edges, then the left", () => {
    const byCharacters = matchEntities(pair([span(3, 5)], [span(2, 3), span(5, 6)]));
    expect(byCharacters[0]).toMatchObject({ kind: "BE", predicted: span(5, 6) });
    const byEdges = matchEntities(pair([span(1, 2)], [span(1, 6), span(1, 4)]));
    expect(byEdges[0]).toMatchObject({ kind: "BE", predicted: span(1, 4) });
  });

  it("each entity is used once", () => {
    expect(counts([span(0, 3)], [span(0, 1), span(2, 3)])).toMatchObject({ BE: 1, FP: 1, FN: 0 });
    expect(counts([span(0, 1), span(2, 3)], [span(0, 3)])).toMatchObject({ BE: 1, FP: 0, FN: 1 });
  });
});

describe("a worked example", () => {
  // Gold: 5 entities. Predictions: 1 right, 1 of the wrong type, 1 longer, 1 wrong in both, 1 spurious, 1 hallucinated.
  const gold = [span(0, 0), span(1, 1), span(2, 2), span(4, 5), span(7, 7)];
  const predicted = document([span(0, 0), span(1, 1, "Q"), span(2, 3), span(5, 6, "Q")]);
  const summary = boundarySummary([
    { gold: document(gold), predicted: { ...predicted, hallucinated: [{ type: "P", text: "Bo" }] } },
    { gold: document([]), predicted: document([span(6, 6)]) },
  ]);

  it("counts and shares", () => {
    expect(summary).toEqual({
      rate: 1 / 5,
      TP: 1,
      LE: 1,
      BE: 1,
      BES: 0,
      BEL: 1,
      BEO: 0,
      LBE: 1,
      FP: 2,
      FN: 1,
      shareOfFound: 1 / 2,
      shareOfErrors: 1 / 6,
      leftEdge: 0,
      rightEdge: 1,
      bothEdges: 0,
      withinOneWord: 1,
      f1IfFixed: 4 / 11, // 2 of 6 predictions and 5 gold entities
    });
  });

  it("is all zero where there is nothing", () => {
    expect(new Set(Object.values(counts([], [])))).toEqual(new Set([0]));
  });
});

it("the order in which entities are listed changes nothing, and every entity has one outcome", () => {
  let state = 7;
  const random = (below: number) => (state = (state * 48271) % 2147483647) % below; // Lehmer's generator
  for (let round = 0; round < 300; round++) {
    const entities = () => {
      const spans = Array.from({ length: random(6) }, () => {
        const first = random(8);
        return span(first, Math.min(7, first + random(4)), random(2) === 0 ? "P" : "Q");
      });
      return [...new Map(spans.map((entity) => [JSON.stringify(entity), entity])).values()];
    };
    const [gold, predicted] = [entities(), entities()];
    const shuffle = (list: Entity[]) =>
      list
        .map((item) => [random(1000), item] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, item]) => item);
    const outcomes = matchEntities(pair(gold, predicted));
    expect(matchEntities(pair(shuffle(gold), shuffle(predicted)))).toEqual(outcomes);
    expect(outcomes.flatMap((outcome) => ("gold" in outcome ? [outcome.gold] : []))).toHaveLength(gold.length);
    expect(outcomes.flatMap((outcome) => ("predicted" in outcome ? [outcome.predicted] : []))).toHaveLength(
      predicted.length,
    );
  }
});
