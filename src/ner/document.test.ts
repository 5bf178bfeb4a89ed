import { describe, expect, it } from "vitest";
import { compareEntities, documentError, readingError, splitsSurrogatePair, type Document } from "./document.ts";

const text = "Ana 🐙 met Bo"; // the octopus is units 4 and 5
const withEntity = (start: number, end: number, type = "x"): Document => ({
  id: "a",
  text,
  entities: [{ start, end, type }],
});

describe("documentError", () => {
  it("finds nothing wrong with nested, overlapping and neighbouring entities, or an empty text", () => {
    const spans = [
      [0, 3],
      [0, 6],
      [4, 6],
      [0, 13],
    ] as const;
    const entities = spans.map(([start, end]) => ({ start, end, type: "x" }));
    expect(documentError({ id: "a", text, entities: [...entities, { start: 0, end: 3, type: "y" }] })).toBeNull();
    expect(documentError({ id: "a", text: "", entities: [], words: [] })).toBeNull();
  });

  it.each([
    [withEntity(-1, 3), 'document "a": entity 0 (-1–3, x) lies outside the text, which is 13 UTF-16 units long'],
    [withEntity(0, 14), 'document "a": entity 0 (0–14, x) lies outside the text, which is 13 UTF-16 units long'],
    [withEntity(3, 3), 'document "a": entity 0 (3–3, x) is empty: expected an end greater than the start'],
    [withEntity(0, 5), 'document "a": entity 0 (0–5, x) cuts a character in two at 5 (inside a surrogate pair)'],
    [withEntity(5, 6), 'document "a": entity 0 (5–6, x) cuts a character in two at 5 (inside a surrogate pair)'],
    [withEntity(0, NaN), 'document "a": entity 0 (0–NaN, x) has offsets that are no whole numbers'],
    [withEntity(0, 3, "a\nb"), /expected the name of a type, without spaces around it or line breaks, got "a\\nb"$/],
    [withEntity(0, 3, " x"), /got " x"$/],
    [
      { ...withEntity(0, 3), rejected: [{ start: 0, end: 5, type: "x" }] },
      'document "a": rejected span 0 (0–5, x) cuts a character in two at 5 (inside a surrogate pair)',
    ],
    [{ id: "", text, entities: [] }, 'expected an id without line breaks and not empty, got ""'],
    [
      {
        ...withEntity(0, 3),
        words: [
          [0, 3],
          [2, 4],
        ],
      },
      'document "a": word 1 (2–4) starts before the word before it ends',
    ],
    [{ ...withEntity(0, 3), words: [[0, 5]] }, /word 0 \(0–5\) cuts a character in two at 5/],
  ] satisfies [Document, string | RegExp][])("%j", (document, message) => {
    expect(documentError(document)).toMatch(message);
  });

  it("names the second of two equal entities", () => {
    const entity = { start: 0, end: 3, type: "x" };
    expect(documentError({ id: "a", text, entities: [entity, { ...entity }] })).toBe(
      'document "a": entity 1 (0–3, x) is given twice (delete one of the two)',
    );
  });
});

it("compareEntities orders by start, then the longer, then the type", () => {
  const of = (start: number, end: number, type: string) => ({ start, end, type });
  const ordered = [of(0, 5, "a"), of(0, 3, "a"), of(0, 3, "b"), of(1, 2, "a")];
  expect(ordered.toReversed().toSorted(compareEntities)).toEqual(ordered);
});

it("splitsSurrogatePair: lone halves and the text's ends are no pair", () => {
  expect([0, 4, 5, 6, 13].filter((offset) => splitsSurrogatePair(text, offset))).toEqual([5]);
  expect([0, 1, 2].filter((offset) => splitsSurrogatePair("\udc00\ud800", offset))).toEqual([]);
});

describe("readingError", () => {
  it.each<[Document, string]>([
    [{ id: "a", text: "ox  met", entities: [{ start: 2, end: 4, type: "x" }] }, "entity 0 (2–4, x)"],
    [
      { id: "a", text: "ox\u3000met", entities: [], rejected: [{ start: 2, end: 3, type: "x" }] },
      "rejected span 0 (2–3, x)",
    ],
  ])("refuses a span of white space only, which may be written", (document, span) => {
    expect(readingError(document)).toBe(
      `document "a": ${span} covers white space only: expected at least one character of text (correct or delete it)`,
    );
    expect(documentError(document)).toBeNull();
  });

  it("refuses what is wrong with a document", () => {
    const document = { id: "", text: "ox", entities: [] };
    expect(readingError(document)).toBe(documentError(document));
  });
});
