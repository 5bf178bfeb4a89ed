import { describe, expect, it } from "vitest";
import type { Document } from "./document.ts";
import { evaluate, EvaluationError } from "./evaluate.ts";

const document = (id: string, text = "Ana met Bo", type = "person"): Document => ({
  id,
  text,
  entities: [{ start: 0, end: 3, type }],
});

describe("evaluate", () => {
  it("finds predictions by id, in any order", () => {
    const gold = [document("a"), document("b", "Bo met Ana")];
    const result = evaluate(gold, gold.toReversed());
    expect(result).toMatchObject({
      documents: 2,
      tp: 2,
      fp: 0,
      fn: 0,
      f1: 1,
      stringSetF1: 1,
      boundary: { TP: 2, rate: 0 },
    });
  });

  it("leaves other types out on both sides where told which to score", () => {
    const gold = { ...document("a"), entities: [...document("a").entities, { start: 8, end: 10, type: "dog" }] };
    const predicted = { ...document("a"), hallucinated: [{ type: "cat", text: "Tom" }] };
    expect(evaluate([gold], [predicted])).toMatchObject({ tp: 1, fp: 1, fn: 1, hallucinated: 1 });
    expect(evaluate([gold], [predicted], ["person"])).toMatchObject({
      tp: 1,
      fp: 0,
      fn: 0,
      hallucinated: 0,
      boundary: { FP: 0, FN: 0 },
    });
  });

  const many = ["a", "b", "c", "d", "e"].map((id) => document(id));
  it.each([
    [
      [document("a"), document("b")],
      [document("a")],
      'expected a prediction for every gold document, got none for "b"',
    ],
    [many, [], 'expected a prediction for every gold document, got none for "a", "b", "c" and 2 more'],
    [[document("a")], [document("a"), document("z")], 'expected predictions for gold documents only, got one for "z"'],
    [[document("a")], [document("a"), document("a")], 'expected ids of their own in the predictions, got "a" twice'],
    [
      [document("a")],
      [document("a", "Ana met Bob")],
      'expected the same text in gold and prediction of document "a", got "Ana met Bo" and "Ana met Bob" at 10',
    ],
  ])("documents that do not match, %#", (gold, predicted, message) => {
    expect(() => evaluate(gold, predicted)).toThrow(new EvaluationError(message));
  });
});
