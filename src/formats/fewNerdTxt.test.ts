import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fewNerdTxt } from "./fewNerdTxt.ts";

const sample = readFileSync(new URL("samples/few-nerd-txt.txt", import.meta.url), "utf8");

describe("reading", () => {
  it("takes neighbouring words of one type for one entity", () => {
    const { documents, warnings, errors } = fewNerdTxt.parse(sample);
    expect([warnings, errors]).toEqual([[], []]);
    expect(
      documents.map(({ text, entities }) =>
        entities.map(({ start, end, type }) => `${type}:${text.slice(start, end)}`),
      ),
    ).toEqual([["building-mill:Red Mill", "location-city:Ostrava"], ["person-writer:Petra Novak"]]);
  });

  it("parts neighbours of different types", () => {
    expect(fewNerdTxt.parse("a\tx\nb\ty\nc\tO").documents[0]?.entities).toEqual([
      { start: 0, end: 1, type: "x" },
      { start: 2, end: 3, type: "y" },
    ]);
  });

  it("names a broken line by number", () => {
    expect(fewNerdTxt.parse("a\tO\nb\t\nc").errors).toEqual([
      "line 2: expected O or a type in the last column, got nothing",
      "line 3: expected a word, a tab or a space, and a tag, got a single column",
    ]);
  });
});

describe("writing", () => {
  it("gives the sample back byte by byte", () => {
    expect(fewNerdTxt.write(fewNerdTxt.parse(sample).documents)).toEqual({ text: sample, warnings: [] });
  });

  it("says which neighbours merge", () => {
    const entities = [
      { start: 0, end: 3, type: "person" },
      { start: 4, end: 7, type: "person" },
    ];
    const { text, warnings } = fewNerdTxt.write([{ id: "1", text: "Tom Ana", entities }]);
    expect(text).toBe("Tom\tperson\nAna\tperson\n");
    expect(warnings).toEqual([
      'document "1": entity "Ana" (person) merges with the one before it (conll-bio keeps them apart)',
    ]);
  });

  it("refuses types that would be read as tags", () => {
    expect(() => fewNerdTxt.write([{ id: "1", text: "a", entities: [{ start: 0, end: 1, type: "O" }] }])).toThrow(
      'document "1": expected types that do not look like BIO tags, got O (use conll-bio)',
    );
  });
});
