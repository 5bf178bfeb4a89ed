import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Document } from "../ner/document.ts";
import { conllBio } from "./conllBio.ts";

const sample = readFileSync(new URL("samples/conll-bio.txt", import.meta.url), "utf8");
const lines = (...rows: string[]) => rows.join("\n");
const found = (text: string) =>
  conllBio
    .parse(text)
    .documents.map(({ text, entities }) => entities.map(({ start, end, type }) => `${type}:${text.slice(start, end)}`));

describe("reading", () => {
  it("the sample: ids, own spacing, a word that is #", () => {
    const { documents, warnings, errors } = conllBio.parse(sample);
    expect([warnings, errors]).toEqual([[], []]);
    expect(documents.map(({ id, text }) => [id, text])).toEqual([
      ["night-1", "Ilse Brandt tuned the Corva Nine ."],
      ["night-2", "It hums, doesn't it?"],
      ["night-3", "Tom Ana left # early"],
    ]);
    expect(found(sample)).toEqual([["person:Ilse Brandt", "instrument:Corva Nine"], [], ["person:Tom", "person:Ana"]]);
    expect(documents[1]?.words?.map(([start, end]) => documents[1]?.text.slice(start, end))).toEqual([
      "It",
      "hums",
      ",",
      "does",
      "n't",
      "it",
      "?",
    ]);
  });

  it("IOB1, where B- only parts neighbours", () => {
    const { warnings } = conllBio.parse(lines("a I-X", "b I-X", "c B-X", "d I-Y", "e O", "f I-X"));
    expect(warnings).toEqual([]);
    expect(found(lines("a I-X", "b I-X", "c B-X", "d I-Y", "e O", "f I-X"))).toEqual([["X:a b", "X:c", "Y:d", "X:f"]]);
  });

  it("IOB2, where I- without B- is a slip that is named", () => {
    const text = lines("a\tB-X", "b\tI-Y", "", "c\tO", "d\tI-X");
    expect(found(text)).toEqual([["X:a", "Y:b"], ["X:d"]]);
    expect(conllBio.parse(text).warnings).toEqual([
      'line 2: I-Y of "b" continues no entity, so it starts one (as conlleval reads it)',
      'line 5: I-X of "d" continues no entity, so it starts one (as conlleval reads it)',
    ]);
  });

  it("IOBES and BILOU", () => {
    expect(found(lines("a B-X", "b I-X", "c E-X", "d S-X", "e S-X", "f E-X"))).toEqual([
      ["X:a b c", "X:d", "X:e", "X:f"],
    ]);
    expect(found(lines("a B-X", "b L-X", "c U-X", "d I-X", "e O"))).toEqual([["X:a b", "X:c", "X:d"]]);
  });

  it("several columns, runs of spaces, CRLF, blank lines with a tab, no final newline", () => {
    const { documents, warnings } = conllBio.parse("Bonn  NNP   B-LOC\r\nis VBZ O\r\n\r\n \t\r\nhere RB O");
    expect(documents.map(({ text }) => text)).toEqual(["Bonn is", "here"]);
    expect(warnings).toEqual(["column 2 is not kept (of 3: the word is read from the first, the tag from the last)"]);
    expect(conllBio.parse("a NN x O\nb NN x O").warnings).toEqual([
      "columns 2–3 are not kept (of 4: the word is read from the first, the tag from the last)",
    ]);
  });

  it("words with spaces, types with spaces, where tabs part the columns", () => {
    expect(found("New York\tB-big city\nis\tO")).toEqual([["big city:New York"]]);
  });

  it("the word # in columns parted by spaces", () => {
    expect(conllBio.parse(lines("# NN B-X", "1 CD I-X")).documents[0]?.text).toBe("# 1");
    expect(conllBio.parse(lines("# O", "1 O")).documents[0]?.text).toBe("# 1");
  });

  it("-DOCSTART- lines: sentences are numbered within their document", () => {
    const text = lines("-DOCSTART- -X- O", "", "a NN O", "", "b NN O", "-DOCSTART- -X- O", "c NN O");
    expect(conllBio.parse(text).documents.map(({ id }) => id)).toEqual(["1/1", "1/2", "2/1"]);
  });

  it("keeps other comments with a key, and says that it does not keep the rest", () => {
    const { documents, warnings } = conllBio.parse(
      lines("# made by hand", "", "# id = x", "# lang = en", "# !", "a\tO"),
    );
    expect(documents).toEqual([{ id: "x", text: "a", entities: [], words: [[0, 1]], extra: { lang: "en" } }]);
    expect(warnings).toEqual(['comments that are no "# key = value" of a sentence are not kept (2 lines)']);
  });

  it("falls back to joined words where # text is another text", () => {
    const { documents, warnings } = conllBio.parse(lines("# text = a c", "a\tO", "b\tO"));
    expect(documents[0]?.text).toBe("a b");
    expect(warnings).toEqual([expect.stringMatching(/^line 2: "# text" does not consist of the sentence's words/)]);
  });
});

describe("broken lines are named by number, and the others are read", () => {
  it("a tab among spaces, and a space among tabs", () => {
    const errorsOf = (row: string, other: string) =>
      conllBio.parse(lines(row, row, "", other, "", row)).errors.map((error) => error.replace(/: .*/, ""));
    expect(errorsOf("a O", "b\tO")).toEqual(["line 4"]);
    expect(errorsOf("a\tO", "b O")).toEqual(["line 4"]);
  });

  it.each([
    ["b", /^line 4: expected a word, a tab or a space, and a tag, got a single column$/],
    ["b\tB-X\tB-X", /^line 4: expected 2 columns as on most lines, got 3/],
    ["b\tPER", /^line 4: expected O, B-TYPE or I-TYPE .* in the last column, got "PER"$/],
    ["b\tB-", /^line 4: expected O, B-TYPE or I-TYPE/],
    ["b\t", /^line 4: expected O, B-TYPE or I-TYPE .* got ""$/],
    ["\tO", /^line 4: expected a word before the tab, got none$/],
    ["#tag", /^line 4: expected a word, a tab or a space/],
  ])("%j", (broken, message) => {
    const { documents, errors } = conllBio.parse(lines("a\tB-X", "b\tO", "", broken, "c\tO", "", "d\tO"));
    expect(errors).toEqual([expect.stringMatching(message)]);
    expect(documents.map(({ id, text }) => [id, text])).toEqual([
      ["1", "a b"],
      ["3", "d"],
    ]);
  });

  it("a broken first line, too", () => {
    expect(conllBio.parse(lines("a", "b\tO", "c\tO")).errors).toEqual([expect.stringMatching(/^line 1: /)]);
  });

  it("an id given twice", () => {
    expect(conllBio.parse(lines("# id = x", "a\tO", "", "# id = x", "b\tO")).errors).toEqual([
      'line 5: expected an id of its own, got "x", as at line 2',
    ]);
  });
});

describe("writing", () => {
  const document = (
    text: string,
    entities: readonly [number, number, string][],
    words?: [number, number][],
  ): Document => ({
    id: "1",
    text,
    entities: entities.map(([start, end, type]) => ({ start, end, type })),
    ...(words !== undefined && { words }),
  });

  it("gives the sample back byte by byte", () => {
    expect(conllBio.write(conllBio.parse(sample).documents)).toEqual({ text: sample, warnings: [] });
  });

  it("keeps the text's own spacing in a comment, and splits words at the edges of entities", () => {
    const { text, warnings } = conllBio.write([
      document("Paris-based  Ana.", [
        [0, 5, "place"],
        [13, 16, "person"],
      ]),
    ]);
    expect(text).toBe(lines("# text = Paris-based  Ana.", "Paris\tB-place", "-based\tO", "Ana\tB-person", ".\tO", ""));
    expect(warnings).toEqual([]);
  });

  it("says what is lost: overlaps, white space at edges, entities without a word, split corpus words", () => {
    const nested = document("Bank of Oslo", [
      [0, 12, "org"],
      [8, 12, "place"],
    ]);
    expect(conllBio.write([nested]).warnings).toEqual([
      'document "1": entity "Oslo" (place) is lost: it overlaps another entity',
    ]);
    expect(conllBio.write([document("an Oslo trip", [[2, 8, "place"]])]).warnings).toEqual([
      'document "1": entity " Oslo " (place) loses the white space at its edges',
    ]);
    expect(conllBio.write([document("a  b", [[1, 3, "x"]])]).warnings).toEqual([
      'document "1": entity "  " (x) is lost: it holds no word',
    ]);
    expect(conllBio.write([document("Oslo-bound", [[0, 4, "place"]], [[0, 10]])]).warnings).toEqual([
      'document "1": 1 words become 2, so that entities and text fit',
    ]);
    expect(conllBio.write([{ ...document("a", []), extra: { page: 3 } }]).warnings).toEqual([
      'document "1": its field page is not kept',
    ]);
  });

  it("without comments, says which ids and spacing are lost", () => {
    const documents = [{ ...document("Oslo, then.", []), id: "x" }, document("  ", [])];
    expect(conllBio.write(documents, { comments: false })).toEqual({
      text: lines("Oslo\tO", ",\tO", "then\tO", ".\tO", ""),
      warnings: [
        'document "x": its id is not kept',
        'document "x": its white space is not kept (words are joined by one space)',
        'document "1": its id is not kept',
        'document "1": its white space is not kept (words are joined by one space)',
        'document "1" is left out: it holds no word',
      ],
    });
  });

  it("cuts words that would be read as something else", () => {
    const documents = [document("-DOCSTART- a", []), { ...document("# id = x", [], [[0, 8]]), id: "2" }];
    const read = conllBio.parse(conllBio.write(documents).text);
    expect(read.documents.map(({ text }) => text)).toEqual(["-DOCSTART- a", "# id = x"]);
  });

  it("says that line breaks become spaces, and keeps all offsets", () => {
    const { text, warnings } = conllBio.write([document("a\r\nOslo", [[3, 7, "place"]])]);
    expect(warnings).toEqual(['document "1": line breaks in its text become spaces']);
    expect(conllBio.parse(text).documents[0]).toMatchObject({ text: "a  Oslo", entities: [{ start: 3, end: 7 }] });
  });

  it("keeps an empty text", () => {
    expect(conllBio.parse(conllBio.write([document("", [])]).text).documents).toEqual([
      { id: "1", text: "", entities: [], words: [] },
    ]);
  });
});
