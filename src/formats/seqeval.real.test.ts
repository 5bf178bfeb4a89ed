// The scores are those of seqeval on real files (goldens/seqeval.json, made by reference/seqeval_golden.py).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evaluate } from "../ner/evaluate.ts";
import { parseDocuments } from "./formats.ts";

interface GoldenRow {
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

const folder = process.env["OBP_DATA_DIR"];
if (folder === undefined) throw new Error("expected the folder of the corpora in OBP_DATA_DIR, got nothing");
const goldenFile = new URL("../../reference/goldens/seqeval.json", import.meta.url);
const golden = JSON.parse(readFileSync(goldenFile, "utf8")) as Record<string, Record<string, GoldenRow>>;

/** The rule of reference/seqeval_golden.py. */
function spoil(text: string): string {
  const tagOf = (line: string) => line.slice(line.lastIndexOf("\t") + 1);
  const lines = text.split("\n");
  const types = [...new Set(lines.map((line) => tagOf(line)).filter((tag) => /^[BI]-/.test(tag)))].map((tag) =>
    tag.slice(2),
  );
  const ordered = [...new Set(types)].toSorted();
  const following = new Map(ordered.map((type, index) => [type, ordered[(index + 1) % ordered.length] ?? type]));
  let [sentence, word] = [0, 0];
  return lines
    .map((line) => {
      if (/^[ \t]*$/.test(line)) {
        if (word > 0) [sentence, word] = [sentence + 1, 0];
        return line;
      }
      const tag = tagOf(line);
      const [i, j] = [sentence, word++];
      const type = tag.slice(2);
      let spoilt = tag;
      if ((31 * i + 17 * j) % 7 === 0) spoilt = "O";
      else if (tag.startsWith("B-") && (i + 3 * j) % 5 === 0) spoilt = `I-${type}`;
      else if (tag !== "O" && (i + j) % 11 === 0) spoilt = `${tag.slice(0, 2)}${following.get(type)}`;
      return line.slice(0, line.lastIndexOf("\t") + 1) + spoilt;
    })
    .join("\n");
}

describe.each(Object.entries(golden))("%s", (file, rows) => {
  const text = readFileSync(join(folder, file), "utf8");
  const gold = parseDocuments(text).documents;
  const result = evaluate(gold, parseDocuments(spoil(text), { format: "conll-bio" }).documents);

  it("micro-averaged and per type", () => {
    const { "micro avg": micro, ...byType } = rows;
    expect(Object.keys(result.byType).toSorted()).toEqual(Object.keys(byType).toSorted());
    for (const [name, row] of Object.entries(rows)) {
      const ours = row === micro ? result : result.byType[name];
      expect(ours?.support, name).toBe(row.support);
      expect(ours?.precision, name).toBeCloseTo(row.precision, 12);
      expect(ours?.recall, name).toBeCloseTo(row.recall, 12);
      expect(ours?.f1, name).toBeCloseTo(row.f1, 12);
    }
  });

  it("outcomes add up to the counts of the strict score", () => {
    const { TP, LE, BE, LBE, FP, FN, BES, BEL, BEO } = result.boundary;
    expect([TP, LE + BE + LBE + FP, LE + BE + LBE + FN]).toEqual([result.tp, result.fp, result.fn]);
    expect(BES + BEL + BEO).toBe(BE);
    expect(BE).toBeGreaterThan(0);
  });
});
