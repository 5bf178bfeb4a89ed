import { describe, expect, it } from "vitest";
import { cutPieces, underlineLevels } from "./pieces.ts";

const text = "New York Times says";
const words = [
  [0, 3],
  [4, 8],
  [9, 14],
  [15, 19],
] as const;
const paper = { start: 0, end: 14, type: "organization" };
const city = { start: 0, end: 8, type: "place" };

describe("cutPieces", () => {
  it("covers the text once, without gaps", () => {
    const pieces = cutPieces(text, words, [city, paper]);
    expect(pieces.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
  });

  it("knows the word and the entities of each piece, the longest first", () => {
    const pieces = cutPieces(text, words, [city, paper]);
    expect(pieces[0]).toEqual({ start: 0, end: 3, word: 0, entities: [paper, city] });
    expect(pieces[1]).toEqual({ start: 3, end: 4, word: null, entities: [paper, city] });
    expect(pieces[4]).toEqual({ start: 9, end: 14, word: 2, entities: [paper] });
    expect(pieces[6]).toEqual({ start: 15, end: 19, word: 3, entities: [] });
  });

  it("cuts a word where an entity ends inside it", () => {
    const inside = { start: 1, end: 2, type: "x" };
    expect(cutPieces("abc", [[0, 3]], [inside]).map(({ word }) => word)).toEqual([0, 0, 0]);
  });

  it("gives nothing for an empty text", () => {
    expect(cutPieces("", [], [])).toEqual([]);
  });
});

describe("underlineLevels", () => {
  it("puts nested entities on lines of their own, the shorter nearer", () => {
    const levels = underlineLevels([paper, city, { start: 15, end: 19, type: "verb" }]);
    expect([...levels.entries()].map(([{ type }, level]) => [type, level]).sort()).toEqual([
      ["organization", 1],
      ["place", 0],
      ["verb", 0],
    ]);
  });
});
