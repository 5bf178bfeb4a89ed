import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { doccano } from "./doccano.ts";

const sample = readFileSync(new URL("samples/doccano.jsonl", import.meta.url), "utf8");
const parseOne = (fields: object) => doccano.parse(JSON.stringify(fields));

describe("reading", () => {
  it("the export of sequence labelling, counted in code points", () => {
    const { documents, warnings, errors } = doccano.parse(sample);
    expect([warnings, errors]).toEqual([[], []]);
    expect(documents.map(({ id }) => id)).toEqual(["41", "42"]);
    expect(documents[0]?.entities.map(({ start, end }) => documents[0]?.text.slice(start, end))).toEqual([
      "Captain Reyes",
      "Lark",
      "Vigo",
    ]);
    expect(documents[1]?.extra).toEqual({ Comments: ["no entity here"] });
  });

  it("labels and data of older exports", () => {
    expect(parseOne({ id: 1, data: "Vigo", labels: [[0, 4, "place"]] }).documents).toEqual([
      { id: "1", text: "Vigo", entities: [{ start: 0, end: 4, type: "place" }] },
    ]);
  });

  it("the export with relations, and says that these are not kept", () => {
    const entities = [{ id: 8, label: "place", start_offset: 0, end_offset: 4 }];
    const { documents, warnings } = parseOne({ id: 1, text: "Vigo", entities, relations: [{ from_id: 8, to_id: 8 }] });
    expect(documents[0]?.entities).toEqual([{ start: 0, end: 4, type: "place" }]);
    expect(warnings).toEqual(['line 1: document "1": relations between entities are not kept (1)']);
  });
});

describe("broken lines", () => {
  it.each([
    [{ id: 1, text: "Vigo" }, /^line 1: expected a field at label, got none/],
    [{ id: 1, label: [] }, /^line 1: expected a field at text, got none$/],
    [{ id: 1, text: "Vigo", label: ["place"] }, /^line 1: expected Array at label\.0, got "place"$/],
    [
      { id: 1, text: "Vigo", label: [[0, 9, "x"]] },
      /entity 0 \(0–9, x\) lies outside the text, which is 4 code points long$/,
    ],
    [{ id: 1, text: "Vigo", label: [], labels: [] }, /^line 1: expected the entities in one field/],
  ])("%j", (fields, message) => {
    expect(parseOne(fields).errors).toEqual([expect.stringMatching(message)]);
  });
});

describe("writing", () => {
  it("gives the sample back byte by byte", () => {
    expect(doccano.write(doccano.parse(sample).documents)).toEqual({ text: sample, warnings: [] });
  });

  it("says what it has no place for, and keeps ids that are no numbers", () => {
    const entities = [{ start: 0, end: 1, type: "x", probability: 0.5 }];
    const hallucinated = [{ type: "x", text: "b" }];
    const { text, warnings } = doccano.write([{ id: "007", text: "a", entities, words: [[0, 1]], hallucinated }]);
    expect(text).toBe('{"id":"007","text":"a","label":[[0,1,"x"]]}\n');
    expect(warnings).toEqual([
      'document "007": the corpus\'s own words are not kept',
      'document "007": probabilities of entities are not kept',
      'document "007": hallucinated entities are not kept',
    ]);
  });
});
