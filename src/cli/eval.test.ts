import { describe, expect, it } from "vitest";
import { CommandFolder } from "./testCommand.ts";

const gold = "Ana\tB-person\nRuiz\tI-person\nleft\tO\nOslo\tB-place\n\nBo\tB-person\nstayed\tO\n";
const predicted = [
  { id: "2", text: "Bo stayed", entities: [], hallucinated: [{ type: "person", text: "Bob" }] },
  {
    id: "1",
    text: "Ana Ruiz left Oslo",
    entities: [
      { start: 0, end: 3, type: "person", probability: 0.9 },
      { start: 14, end: 18, type: "place" },
    ],
  },
];
const lines = (documents: readonly object[]) => documents.map((document) => `${JSON.stringify(document)}\n`).join("");

describe("obp eval", () => {
  it("scores predictions in another format and order than the gold file", () => {
    using folder = new CommandFolder({ gold, pred: lines(predicted) });
    const run = folder.obp("eval", "--gold", "gold", "--pred", "pred", "--json");
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(run.json()).toMatchObject({
      documents: 2,
      tp: 1,
      fp: 2,
      fn: 2,
      precision: 1 / 3,
      recall: 1 / 3,
      f1: 1 / 3,
      hallucinated: 1,
      stringSetF1: 1 / 3,
      byType: { person: { tp: 0, fp: 2, fn: 2, f1: 0 }, place: { tp: 1, f1: 1 } },
      boundary: { rate: 1 / 3, TP: 1, BE: 1, BES: 1, BEL: 0, BEO: 0, LE: 0, LBE: 0, FP: 1, FN: 1 },
    });
    expect(folder.obp("eval", "--gold", "gold", "--pred", "pred").stdout).toContain(
      "boundary error rate 0.3333: 1 of 3 gold entities",
    );
  });

  it("scores only the types that are given", () => {
    using folder = new CommandFolder({ gold, pred: lines(predicted), types: '{"place":"towns"}' });
    const run = folder.obp("eval", "--gold", "gold", "--pred", "pred", "--types", "types", "--json");
    expect(run.json()).toMatchObject({ tp: 1, fp: 0, fn: 0, f1: 1, hallucinated: 0 });
  });

  it("reads both files in a format that is named, or each in its own", () => {
    using folder = new CommandFolder({ gold, pred: lines(predicted) });
    const named = folder.obp("eval", "--gold", "gold", "--pred", "gold", "--format", "conll-bio", "--json");
    expect(named.json()).toMatchObject({ tp: 3, f1: 1 });
    const own = ["--format", "conll-bio", "--pred-format", "obp-jsonl"];
    expect(folder.obp("eval", "--gold", "gold", "--pred", "pred", ...own, "--json").json()).toMatchObject({ tp: 1 });
  });

  it("refuses predictions for other documents", () => {
    using folder = new CommandFolder({ gold, pred: lines(predicted.slice(1)) });
    const run = folder.obp("eval", "--gold", "gold", "--pred", "pred", "--json");
    expect([run.code, run.stdout, run.stderr]).toEqual([
      1,
      "",
      'error: expected a prediction for every gold document, got none for "2"\n',
    ]);
  });
});
