import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { obpJsonl } from "./obpJsonl.ts";

const sample = readFileSync(new URL("samples/obp-jsonl.jsonl", import.meta.url), "utf8");
const spans = (text: string, offsets?: "utf16") =>
  obpJsonl
    .parse(text, offsets === undefined ? {} : { offsets })
    .documents.flatMap(({ text, entities }) => entities.map(({ start, end, type }) => [text.slice(start, end), type]));
const line = (fields: object) => JSON.stringify({ id: "a", text: "Ana 🐙 met Bo", entities: [], ...fields });
const errorsOf = (...lines: string[]) => obpJsonl.parse(lines.join("\n")).errors;

describe("reading", () => {
  it("counts code points", () => {
    expect(spans(sample)).toEqual([
      ["Mina Okafor", "person"],
      ["Port Selby", "place"],
      ["Zoë Lindqvist", "person"],
      ["渡辺", "person"],
      ["札幌", "place"],
    ]);
    expect(obpJsonl.parse(sample)).toMatchObject({ warnings: [], errors: [] });
  });

  it("counts UTF-16 units where told so", () => {
    const bo = line({ entities: [{ start: 11, end: 13, type: "person" }] });
    expect(spans(bo, "utf16")).toEqual([["Bo", "person"]]);
    expect(errorsOf(bo)).toEqual([
      'line 1: document "a": entity 0 (11–13, person) lies outside the text, which is 12 code points long',
    ]);
  });

  it("keeps unknown fields of documents and words, and names those of entities", () => {
    const text = line({
      source: { page: 3 },
      words: [
        [0, 3],
        [4, 5],
      ],
      entities: [{ start: 4, end: 5, type: "x", note: 1 }],
    });
    const { documents, warnings } = obpJsonl.parse(text);
    expect(documents[0]).toMatchObject({
      extra: { source: { page: 3 } },
      words: [
        [0, 3],
        [4, 6],
      ],
    });
    expect(warnings).toEqual(["fields of entities that are not kept: note"]);
  });

  it("takes line numbers for absent ids, and says that texts are unlabelled", () => {
    const { documents, warnings } = obpJsonl.parse('\n{"text":"a"}\r\n\n{"text":"b"}');
    expect(documents.map(({ id }) => id)).toEqual(["2", "4"]);
    expect(warnings).toEqual(['line 2: no field "entities", read as a text without any (2 in all)']);
  });

  it("ends lines at \\n only", () => {
    expect(obpJsonl.parse('{"id":"a","text":"x\u2028y","entities":[]}').documents[0]?.text).toBe("x\u2028y");
  });
});

describe("broken lines are named by number", () => {
  it.each([
    ['{"id":"a","te', /^line 2: expected one JSON object, got text that is not JSON \(.+\)$/],
    ["null", /^line 2: expected Object, got null$/],
    ["[1]", /^line 2: expected one JSON object, got a list$/],
    [line({ text: 7 }), /^line 2: expected string at text, got 7$/],
    [JSON.stringify({ id: "a", entities: [] }), /^line 2: expected a field at text, got none$/],
    [line({ entities: [{ start: 0, end: 3 }] }), /^line 2: expected a field at entities\.0\.type, got none$/],
    [
      line({ entities: [{ start: "0", end: 3, type: "x" }] }),
      /^line 2: expected number at entities\.0\.start, got "0"$/,
    ],
    [line({ entities: [{ start: 2, end: 2, type: "x" }] }), /^line 2: document "a": entity 0 \(2–2, x\) is empty/],
    [line({ entities: [{ start: 3, end: 2, type: "x" }] }), /entity 0 \(3–2, x\) is empty/],
    [
      line({ text: "Ana  met Bo", entities: [{ start: 3, end: 5, type: "x" }] }),
      /^line 2: document "a": entity 0 \(3–5, x\) covers white space only/,
    ],
    [line({ entities: [{ start: -1, end: 2, type: "x" }] }), /entity 0 \(-1–2, x\) lies outside the text/],
    [line({ entities: [{ start: 0.5, end: 2, type: "x" }] }), /has offsets that are no whole numbers$/],
    [line({ entities: [{ start: 0, end: 2, type: "" }] }), /expected the name of a type/],
    [
      line({
        entities: [
          { start: 0, end: 2, type: "x" },
          { start: 0, end: 2, type: "x" },
        ],
      }),
      /entity 1 \(0–2, x\) is given twice/,
    ],
    [
      line({
        words: [
          [0, 3],
          [2, 4],
        ],
      }),
      /word 1 \(2–4\) starts before the word before it ends$/,
    ],
    [
      line({ rejected: [{ start: 9, end: 30, type: "x" }] }),
      /^line 2: document "a": rejected span 0 \(9–30, x\) lies outside the text, which is 12 code points long$/,
    ],
    [
      line({ rejected: [{ start: 0, end: 3, type: " " }] }),
      /rejected span 0 \(0–3, {2}\): expected the name of a type/,
    ],
    [line({ words: [[0, 30]] }), /word 0 \(0–30\) lies outside the text/],
    [line({ id: "first" }), /^line 2: expected an id of its own, got "first", which line 1 has already$/],
  ])("%s", (broken, message) => {
    const { documents, errors } = obpJsonl.parse([line({ id: "first" }), broken, line({ id: "last" })].join("\n"));
    expect(errors).toEqual([expect.stringMatching(message)]);
    expect(documents.map(({ id }) => id)).toEqual(["first", "last"]);
  });

  it("an offset inside a surrogate pair", () => {
    const { errors } = obpJsonl.parse(line({ entities: [{ start: 5, end: 9, type: "x" }] }), { offsets: "utf16" });
    expect(errors).toEqual([
      'line 1: document "a": entity 0 (5–9, x) cuts a character in two at 5 (inside a surrogate pair)',
    ]);
  });
});

describe("writing", () => {
  it("gives the sample back byte by byte", () => {
    expect(obpJsonl.write(obpJsonl.parse(sample).documents)).toEqual({ text: sample, warnings: [] });
  });

  it("keeps predictions", () => {
    const text = `${line({
      entities: [{ start: 0, end: 3, type: "person", probability: 0.25 }],
      hallucinated: [{ type: "person", text: "Bob" }],
    })}\n`;
    expect(obpJsonl.write(obpJsonl.parse(text).documents).text).toBe(text);
  });

  it("keeps refused suggestions, with offsets as those of entities, and no empty list of them", () => {
    const rejected = [{ start: 10, end: 12, type: "place" }];
    const text = `${line({ rejected })}\n`;
    const { documents } = obpJsonl.parse(text);
    expect(documents[0]?.rejected).toEqual([{ start: 11, end: 13, type: "place" }]); // the octopus is two units
    expect(obpJsonl.write(documents)).toEqual({ text, warnings: [] });
    expect(obpJsonl.write([{ id: "a", text: "x", entities: [], rejected: [] }]).text).not.toContain("rejected");
  });

  it("refuses an unsound document", () => {
    const entities = [{ start: 1, end: 9, type: "x" }];
    expect(() => obpJsonl.write([{ id: "a", text: "short", entities }])).toThrow(
      'document "a": entity 0 (1–9, x) lies outside the text, which is 5 UTF-16 units long',
    );
  });
});
