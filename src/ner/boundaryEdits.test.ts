import { describe, expect, it } from "vitest";
import { randomDocument } from "../formats/testDocuments.ts";
import { fixtureTokenizer } from "../model/tokenizer/testTokenizers.ts";
import { BOUNDARY_EDITS, boundaryEdits, DEFAULT_BOUNDARY_EDITS, type BoundaryEdit } from "./boundaryEdits.ts";
import type { Entity } from "./document.ts";
import { encodePrompt } from "./prompt.ts";
import { SpanAutomaton } from "./spanAutomaton.ts";
import { segmentWords } from "./words.ts";

const text = "The New York Times met Ada in Oslo.";

/** Entities of type x at these strings of the text. */
function at(sentence: string, ...strings: string[]): Entity[] {
  return strings.map((string) => {
    const start = sentence.indexOf(string);
    return { start, end: start + string.length, type: "x" };
  });
}

/** The strings of the edited spans, and the reasons of those dropped. */
function edits(sentence: string, entities: Entity[], kinds: readonly BoundaryEdit[] = BOUNDARY_EDITS) {
  const { answers, dropped } = boundaryEdits({ text: sentence, entities }, "x", kinds);
  const spans = answers.map(({ kind, entities, edited }) => {
    const { start = 0, end = 0 } = entities[edited] ?? {};
    return [kind, sentence.slice(start, end)];
  });
  return { spans, dropped };
}

describe("boundaryEdits", () => {
  it("moves the edges by one word, each kind its own way", () => {
    expect(edits(text, at(text, "York Times"))).toEqual({
      spans: [
        ["shift-left", "New York"],
        ["shift-right", "Times met"],
        ["expand-left", "New York Times"],
        ["expand-right", "York Times met"],
        ["expand-both", "New York Times met"],
        ["shrink-left", "Times"],
        ["shrink-right", "York"],
      ],
      dropped: [],
    });
  });

  it("makes the paper's three kinds by default", () => {
    expect(edits(text, at(text, "Ada"), DEFAULT_BOUNDARY_EDITS).spans).toEqual([
      ["shift-left", "met"],
      ["shift-right", "in"],
      ["expand-both", "met Ada in"],
    ]);
  });

  it("edits one entity an answer, the others stay as they are", () => {
    const gold = at(text, "New York Times", "Oslo", "Ada");
    const { answers } = boundaryEdits({ text, entities: gold }, "x", ["expand-left"]);
    expect(answers.map(({ edited }) => edited)).toEqual([0, 1, 2]);
    for (const { entities, edited } of answers) {
      expect(entities.toSpliced(edited, 1)).toEqual(gold.toSpliced(edited, 1));
      expect(entities[edited]).not.toEqual(gold[edited]);
    }
  });

  it.each<[string, string, BoundaryEdit, string]>([
    ["at the beginning", "The", "shift-left", "outside"],
    ["at the beginning", "The", "expand-both", "outside"],
    ["at the end", ".", "expand-right", "outside"],
    ["over the whole sentence", text, "expand-left", "outside"],
    ["of one word", "Ada", "shrink-left", "empty"],
    ["of one word", "The", "shrink-right", "empty"],
  ])("drops, for an entity %s (%j), %s: %s", (_, string, kind, reason) => {
    expect(edits(text, at(text, string), [kind])).toEqual({ spans: [], dropped: [reason] });
  });

  it("drops an edit that gives another gold span, and says so rather than that they overlap", () => {
    const { spans, dropped } = edits(text, at(text, "New York", "New York Times"), ["expand-right", "shift-right"]);
    expect(dropped).toEqual(["gold", "overlap", "overlap", "overlap"]);
    expect(spans).toEqual([]);
  });

  it("drops an edit that overlaps another entity of the type, and leaves alone those of other types", () => {
    const ada = at(text, "Ada");
    const met = at(text, "met");
    expect(edits(text, [...ada, ...met], ["expand-left"])).toEqual({
      spans: [["expand-left", "Times met"]],
      dropped: ["overlap"],
    });
    const other = met.map((entity) => ({ ...entity, type: "y" }));
    expect(edits(text, [...ada, ...other], ["shift-left", "expand-left"])).toEqual({
      spans: [
        ["shift-left", "met"],
        ["expand-left", "met Ada"],
      ],
      dropped: [],
    });
  });

  it("takes an entity whose edges lie inside words for the words that it touches", () => {
    expect(edits(text, at(text, "ork Tim")).spans).toEqual(edits(text, at(text, "York Times")).spans);
  });

  it("drops every edit of an entity without a word", () => {
    const space: Entity = { start: 3, end: 4, type: "x" };
    expect(edits(text, [space], ["expand-both", "shift-left"]).dropped).toEqual(["offWords", "offWords"]);
    expect(edits("  ", [{ start: 0, end: 1, type: "x" }], ["expand-both"]).dropped).toEqual(["offWords"]);
    const words = [[0, 3]] as const;
    const { dropped } = boundaryEdits({ text, words, entities: at(text, "Oslo") }, "x", ["expand-both"]);
    expect(dropped).toEqual(["offWords"]);
  });

  it("moves by the corpus's own tokens where they are known", () => {
    const document = { text: "can't", entities: [{ start: 0, end: 2, type: "x" }], words: [[0, 2], [2, 5]] as const }; // prettier-ignore
    const { answers } = boundaryEdits(document, "x", ["expand-right"]);
    expect(answers).toEqual([{ kind: "expand-right", entities: [{ start: 0, end: 5, type: "x" }], edited: 0 }]);
  });

  it.each([
    ["apart", false],
    ["overlapping", true],
  ])("on random documents, entities %s: words of the sentence, no gold span, no overlap", (_, overlapping) => {
    let answered = 0;
    for (let seed = 0; seed < 300; seed++) {
      const document = randomDocument(seed, { overlapping });
      const words = segmentWords(document);
      for (const type of new Set(document.entities.map(({ type }) => type))) {
        const gold = document.entities.filter((entity) => entity.type === type);
        const { answers, dropped } = boundaryEdits(document, type, BOUNDARY_EDITS);
        expect(answers.length + dropped.length).toBe(gold.length * BOUNDARY_EDITS.length);
        for (const { entities, edited } of answers) {
          const span = entities[edited] ?? { start: -1, end: -1 };
          expect(words.some(([start]) => start === span.start)).toBe(true);
          expect(words.some(([, end]) => end === span.end)).toBe(true);
          expect(span.start).toBeLessThan(span.end);
          expect(gold.some(({ start, end }) => start === span.start && end === span.end)).toBe(false);
          const others = entities.toSpliced(edited, 1);
          expect(others).toEqual(gold.toSpliced(edited, 1));
          expect(others.every(({ start, end }) => end <= span.start || start >= span.end)).toBe(true);
          answered++;
        }
      }
    }
    expect(answered).toBeGreaterThan(500);
  });

  it("gives answers that constrained decoding could give", () => {
    const tokenizer = fixtureTokenizer("smollm");
    const type = { name: "x", definition: "anything" };
    const entities = at(text, "York Times", "Ada");
    for (const answer of boundaryEdits({ text, entities }, "x", BOUNDARY_EDITS).answers) {
      const { ids, responseStart } = encodePrompt(tokenizer, text, type, answer.entities);
      const automaton = new SpanAutomaton({ tokenizer, sentence: text, words: segmentWords({ text }) });
      ids.slice(responseStart).forEach((id) => automaton.advance(id));
      expect(automaton.done).toBe(true);
      const spans = automaton.entities().map(({ start, end }) => [start, end]);
      expect(spans).toEqual(answer.entities.map(({ start, end }) => [start, end]));
    }
  });
});
