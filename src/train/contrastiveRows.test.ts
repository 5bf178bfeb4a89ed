import { describe, expect, test } from "vitest";
import type { PromptEncoding } from "../ner/prompt.ts";
import { contrastiveRows } from "./contrastiveRows.ts";

/** A prompt "type\nSENTENCE\n" with a token for every word (its space in front), the type's name of two tokens. */
function encode(sentence: string): PromptEncoding {
  const text = `river name\n${sentence}\nDone`;
  const offsets: [number, number][] = [[0, 0], ...[...text.matchAll(/ ?[^ \n]+|\n/gu)].map(span)];
  const start = "river name\n".length;
  return {
    ...{ ids: offsets.map((_, i) => i), offsets, responseStart: offsets.length - 1, text },
    ...{ sentence: [start, start + sentence.length], typeMention: [0, "river name".length] },
  };
}
const span = (match: RegExpExecArray): [number, number] => [match.index, match.index + match[0].length];
const entity = (sentence: string, words: string, type = "river") => {
  const start = sentence.indexOf(words);
  return { start, end: start + words.length, type };
};

// Rows: 0 BOS, 1 "river", 2 " name", 3 newline, then the sentence from 4.
describe("rows of the contrastive loss", () => {
  const sentence = "the Red River and the Nile meet";

  test("all tokens of the type and of each entity, and the tokens beside them", () => {
    const entities = [entity(sentence, "Red River"), entity(sentence, "Nile")];
    expect(contrastiveRows(encode(sentence), entities, "river", "mean")).toEqual({
      type: [1, 2],
      entities: [[5, 6], [9]],
      neighbours: [4, 7, 8, 10],
    });
  });

  test("the ancestor takes the first token of the type, the first and last of an entity", () => {
    const longer = "the long Red River meets";
    const rows = contrastiveRows(encode(longer), [entity(longer, "long Red River")], "river", "ancestor");
    expect(rows).toEqual({ type: [1], entities: [[5, 7]], neighbours: [4, 8] });
    const single = contrastiveRows(encode(sentence), [entity(sentence, "Nile")], "river", "ancestor");
    expect(single?.entities).toEqual([[9]]);
  });

  test("a neighbour outside the sentence or inside an entity of the same type is dropped", () => {
    const short = "Red Nile";
    const entities = [entity(short, "Red"), entity(short, "Nile")];
    expect(contrastiveRows(encode(short), entities, "river", "mean")).toEqual({
      type: [1, 2],
      entities: [[4], [5]],
      neighbours: [],
    });
  });

  test("a neighbour inside an entity of another type stays, and one between two entities counts for both", () => {
    const entities = [entity(sentence, "Red"), entity(sentence, "and"), entity(sentence, "River", "country")];
    expect(contrastiveRows(encode(sentence), entities, "river", "mean")?.neighbours).toEqual([4, 6, 6, 8]);
  });

  test("a sentence without an entity of the type has no rows", () => {
    expect(contrastiveRows(encode(sentence), [entity(sentence, "Nile", "country")], "river", "mean")).toBeNull();
  });

  test("an entity under a part of a token takes the whole token", () => {
    const rows = contrastiveRows(encode(sentence), [{ start: 5, end: 6, type: "river" }], "river", "mean");
    expect(rows?.entities).toEqual([[5]]);
  });

  test("an entity that no token covers is named", () => {
    const broken = { ...encode(sentence), offsets: [[0, 5] as [number, number]] };
    expect(() => contrastiveRows(broken, [entity(sentence, "Nile")], "river", "mean")).toThrow(
      "expected tokens under the entity at 22–26, got none",
    );
  });
});
