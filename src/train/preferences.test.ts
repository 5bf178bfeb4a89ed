import { describe, expect, it } from "vitest";
import { randomDocument } from "../formats/testDocuments.ts";
import { BOUNDARY_EDITS } from "../ner/boundaryEdits.ts";
import type { Document, Entity } from "../ner/document.ts";
import { encodePrompt } from "../ner/prompt.ts";
import { fixtureTokenizer } from "../model/tokenizer/testTokenizers.ts";
import { boundaryPreferences, feedbackPreference, refusedPreferences, uniquePreferences } from "./preferences.ts";

const person = { name: "person", definition: "names of people" };
const place = { name: "place", definition: "towns and countries" };

/** A document with an entity at the first place of each string. */
function labelled(id: string, text: string, entities: Readonly<Record<string, string>>): Document {
  const spans = Object.entries(entities).map(([string, type]): Entity => {
    const start = text.indexOf(string);
    return { start, end: start + string.length, type };
  });
  return { id, text, entities: spans };
}

const marta = labelled("d1", "Marta Lund met Tom in Oslo", { "Marta Lund": "person", Tom: "person", Oslo: "place" });
const HEAD = "The entities I extracted for you are";
const CHOSEN = `${HEAD} <<< Marta Lund >>> <<< Tom >>> .`;
const none = { outside: 0, empty: 0, gold: 0, overlap: 0, offWords: 0, sameText: 0, duplicate: 0 };

describe("boundaryPreferences", () => {
  it("prefers the gold response to each edited one, on the prompt that is trained on", () => {
    const { preferences, dropped } = boundaryPreferences([marta], [person], ["shift-right", "expand-both"]);
    expect(preferences.map(({ kind, rejected }) => [kind, rejected])).toEqual([
      ["shift-right", `${HEAD} <<< Lund met >>> <<< Tom >>> .`],
      ["shift-right", `${HEAD} <<< Marta Lund >>> <<< in >>> .`],
      ["expand-both", `${HEAD} <<< Marta Lund >>> <<< met Tom in >>> .`],
    ]);
    expect(dropped).toEqual({ ...none, outside: 1 });
    const { text } = encodePrompt(fixtureTokenizer("smollm"), marta.text, person, marta.entities);
    for (const { prompt, chosen, name, id, type } of preferences) {
      expect([name, id, type]).toEqual(["d1 / person", "d1", "person"]);
      expect(chosen).toBe(CHOSEN);
      expect(prompt + chosen).toBe(text);
    }
  });

  it("asks only for the given types, one prompt each", () => {
    const kinds = ["shift-left"] as const;
    expect(boundaryPreferences([marta], [place], kinds).preferences).toHaveLength(1);
    expect(boundaryPreferences([marta], [person, place], kinds).preferences.map(({ type }) => type)).toEqual([
      "person",
      "place",
    ]);
    expect(boundaryPreferences([marta], [], kinds)).toEqual({ preferences: [], dropped: none });
  });

  it("drops an edit that reads as the gold response", () => {
    const twice = labelled("d2", "Oslo Oslo", { Oslo: "place" });
    const { preferences, dropped } = boundaryPreferences([twice], [place], ["shift-right", "expand-right"]);
    expect(preferences.map(({ kind }) => kind)).toEqual(["expand-right"]);
    expect(dropped).toEqual({ ...none, sameText: 1 });
  });

  it("drops an edit that reads as an earlier one, and keeps it in another prompt", () => {
    const around = labelled("d3", "now Oslo now", { Oslo: "place" });
    const again = { ...around, id: "d4", text: "Now Oslo now" };
    const { preferences, dropped } = boundaryPreferences([around, again], [place], ["shift-left", "shift-right"]);
    expect(preferences.map(({ id, kind }) => [id, kind])).toEqual([
      ["d3", "shift-left"],
      ["d4", "shift-left"],
      ["d4", "shift-right"],
    ]);
    expect(dropped).toEqual({ ...none, duplicate: 1 });
  });

  it("on random documents: never the chosen response, no pair twice, every edit accounted for", () => {
    const documents = Array.from({ length: 200 }, (_, seed) => randomDocument(seed, { overlapping: seed % 2 === 0 }));
    const names = [...new Set(documents.flatMap(({ entities }) => entities.map(({ type }) => type)))];
    const types = names.map((name) => ({ name, definition: "something" }));
    const { preferences, dropped } = boundaryPreferences(documents, types, BOUNDARY_EDITS);
    expect(preferences.filter(({ chosen, rejected }) => chosen === rejected)).toEqual([]);
    expect(new Set(preferences.map(({ prompt, rejected }) => prompt + rejected)).size).toBe(preferences.length);
    const entities = documents.reduce((sum, document) => sum + document.entities.length, 0);
    const droppedSum = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    expect(preferences.length + droppedSum).toBe(entities * BOUNDARY_EDITS.length);
    expect(preferences.length).toBeGreaterThan(200);
  });
});

describe("feedbackPreference", () => {
  it.each<[string, Entity[], string]>([
    ["a missed entity", [{ start: 0, end: 10, type: "person" }], "<<< Marta Lund >>> ."],
    ["nothing found", [], "<<< >>> ."],
    [
      "a boundary error, in text order",
      [
        { start: 15, end: 18, type: "person" },
        { start: 0, end: 5, type: "person" },
      ],
      "<<< Marta >>> <<< Tom >>> .",
    ],
    ["an answer to another type left out", [{ start: 22, end: 26, type: "place" }], "<<< >>> ."],
  ])("rejects %s", (_, answered, rejected) => {
    expect(feedbackPreference(marta, person, answered)).toMatchObject({
      ...{ name: "d1 / person", id: "d1", type: "person", kind: "feedback" },
      ...{ chosen: CHOSEN, rejected: `${HEAD} ${rejected}` },
    });
  });

  it("rejects what was found where nothing is", () => {
    const empty = { ...marta, entities: [] };
    const pair = feedbackPreference(empty, person, [{ start: 15, end: 18, type: "person" }]);
    expect([pair?.chosen, pair?.rejected]).toEqual([`${HEAD} <<< >>> .`, `${HEAD} <<< Tom >>> .`]);
  });

  it("is none for the right answer, also where it names another place of the same string", () => {
    const answered = marta.entities.map((entity) => ({ ...entity, probability: 0.5 })).reverse();
    expect(feedbackPreference(marta, person, answered)).toBeNull();
    expect(feedbackPreference({ ...marta, entities: [] }, person, [])).toBeNull();
    const twice: Document = { id: "d2", text: "Oslo Oslo", entities: [{ start: 5, end: 9, type: "place" }] };
    expect(feedbackPreference(twice, place, [{ start: 0, end: 4, type: "place" }])).toBeNull();
  });
});

describe("refusedPreferences", () => {
  const refuse = (...rejected: Entity[]) => refusedPreferences([{ ...marta, rejected }], [person, place]);
  const rejectedBy = (...rejected: Entity[]) => refuse(...rejected).map(({ rejected }) => rejected.slice(HEAD.length));

  it("rejects the gold answer with the refused span in place of those it overlaps, in text order", () => {
    expect(refuse({ start: 0, end: 5, type: "person" })).toEqual([
      {
        ...{ name: "d1 / person", id: "d1", type: "person", kind: "feedback" },
        prompt: expect.stringContaining(marta.text) as string,
        ...{ chosen: CHOSEN, rejected: `${HEAD} <<< Marta >>> <<< Tom >>> .` },
      },
    ]);
    expect(rejectedBy({ start: 6, end: 18, type: "person" })).toEqual([" <<< Lund met Tom >>> ."]);
    expect(rejectedBy({ start: 11, end: 14, type: "person" })).toEqual([
      " <<< Marta Lund >>> <<< met >>> <<< Tom >>> .",
    ]);
  });

  it("makes one pair a span, on the prompt of its type", () => {
    expect(rejectedBy({ start: 19, end: 21, type: "place" }, { start: 11, end: 14, type: "person" })).toEqual([
      " <<< Marta Lund >>> <<< met >>> <<< Tom >>> .",
      " <<< in >>> <<< Oslo >>> .",
    ]);
    expect(refusedPreferences([{ ...marta, rejected: [{ start: 0, end: 5, type: "person" }] }], [place])).toEqual([]);
    expect(rejectedBy({ start: 0, end: 5, type: "place" })).toEqual([" <<< Marta >>> <<< Oslo >>> ."]);
    expect(refusedPreferences([marta], [person, place])).toEqual([]);
  });

  it("makes none of a span that is gold after all, or that reads as the gold answer", () => {
    expect(refuse({ start: 0, end: 10, type: "person" })).toEqual([]);
    const over = { start: 0, end: 18, type: "person" };
    const nested = { ...marta, entities: [...marta.entities, over], rejected: [over] };
    expect(refusedPreferences([nested], [person])).toEqual([]);
    const bird: Document = { id: "d2", text: "Koko ko ko", entities: [{ start: 0, end: 7, type: "place" }] };
    expect(refusedPreferences([{ ...bird, rejected: [{ start: 2, end: 7, type: "place" }] }], [place])).toHaveLength(1);
    bird.entities = [{ start: 2, end: 7, type: "place" }];
    expect(refusedPreferences([{ ...bird, rejected: [{ start: 5, end: 10, type: "place" }] }], [place])).toEqual([]);
  });
});

describe("uniquePreferences", () => {
  it("keeps the first of those that reject the same response to the same prompt", () => {
    const pair = { name: "a", prompt: "p", chosen: "c", rejected: "r", kind: "shift-left" } as const;
    const pairs = [pair, { ...pair, kind: "feedback" as const }, { ...pair, prompt: "q" }, { ...pair, rejected: "s" }];
    expect(uniquePreferences(pairs)).toEqual([pairs[0], pairs[2], pairs[3]]);
    // Not by what the two texts make when joined.
    const split = [
      { ...pair, prompt: "a", rejected: "bc" },
      { ...pair, prompt: "ab", rejected: "c" },
    ];
    expect(uniquePreferences(split)).toHaveLength(2);
  });
});
