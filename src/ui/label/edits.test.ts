import { describe, expect, it } from "vitest";
import type { Project, ProjectDocument } from "../../storage/project.ts";
import {
  addEntity,
  nudged,
  removeEntity,
  removeType,
  renameType,
  retypeEntity,
  typeCounts,
  type Word,
} from "./edits.ts";

const text = "Melt 50 grams of butter";
const words: Word[] = [
  [0, 4],
  [5, 7],
  [8, 13],
  [14, 16],
  [17, 23],
];
const quantity = { start: 5, end: 13, type: "quantity" };
const butter = { start: 17, end: 23, type: "ingredient" };
const document: ProjectDocument = { id: "a", text, entities: [quantity, butter], split: "train", done: true };

describe("addEntity", () => {
  it("lets overlapping entities of the same type give way", () => {
    const after = addEntity(document, { start: 8, end: 23, type: "quantity" });
    expect(after.entities).toEqual([{ start: 8, end: 23, type: "quantity" }, butter]);
  });

  it("keeps overlapping entities of other types, in text order", () => {
    const outer = { start: 0, end: 23, type: "step" };
    expect(addEntity(document, outer).entities).toEqual([outer, quantity, butter]);
  });

  it("keeps no probability, and takes the span out of what was refused", () => {
    const spoon = { start: 14, end: 16, type: "utensil" };
    const after = addEntity({ ...document, rejected: [quantity, spoon] }, { ...spoon, probability: 0.5 });
    expect(after.entities).toEqual([quantity, spoon, butter]);
    expect(after.rejected).toEqual([quantity]);
  });

  it("returns the same document where the entity is there already, is empty or blank, or cuts a character in two", () => {
    expect(addEntity(document, { ...butter })).toBe(document);
    expect(addEntity(document, { start: 3, end: 3, type: "x" })).toBe(document);
    expect(addEntity(document, { start: 4, end: 5, type: "x" })).toBe(document);
    const emoji: ProjectDocument = { ...document, text: "😀 fine", entities: [] };
    expect(addEntity(emoji, { start: 1, end: 7, type: "x" })).toBe(emoji);
  });
});

describe("removeEntity and retypeEntity", () => {
  it("removes exactly the entity named", () => {
    expect(removeEntity(document, butter).entities).toEqual([quantity]);
    expect(removeEntity(document, { ...butter, type: "other" })).toBe(document);
  });

  it("gives the span another type", () => {
    expect(retypeEntity(document, butter, "utensil").entities).toEqual([quantity, { ...butter, type: "utensil" }]);
    expect(retypeEntity(document, butter, "ingredient")).toBe(document);
  });
});

describe("nudged", () => {
  it("moves one edge by a word", () => {
    expect(nudged(document, words, butter, "start", -1)).toEqual({ ...butter, start: 14 });
    expect(nudged(document, words, quantity, "end", 1)).toEqual({ ...quantity, end: 16 });
    expect(nudged(document, words, quantity, "start", 1)).toEqual({ ...quantity, start: 8 });
    expect(nudged(document, words, quantity, "end", -1)).toEqual({ ...quantity, end: 7 });
  });

  it("stops at the ends of the text, at an empty span and at its own type", () => {
    expect(nudged(document, words, butter, "end", 1)).toBeNull();
    expect(nudged(document, words, butter, "start", 1)).toBeNull();
    expect(nudged(document, words, butter, "end", -1)).toBeNull();
    const crowded = addEntity(document, { start: 14, end: 16, type: "ingredient" });
    expect(nudged(crowded, words, butter, "start", -1)).toBeNull();
  });

  it("snaps an edge inside a word to that word's boundary", () => {
    const inside = { ...butter, start: 19 };
    expect(nudged({ ...document, entities: [inside] }, words, inside, "start", -1)).toEqual(butter);
  });
});

describe("types", () => {
  const project: Project = {
    name: "p",
    types: [
      { name: "quantity", definition: "amounts" },
      { name: "ingredient", definition: "foods" },
    ],
    documents: [document, { ...document, id: "b", done: false }],
  };

  it("counts labels of documents that are done", () => {
    expect(Object.fromEntries(typeCounts(project.documents))).toEqual({ quantity: 1, ingredient: 1 });
  });

  it("renames with the labels, but never onto another type", () => {
    const renamed = renameType(project, "quantity", " amount ");
    expect(renamed.types[0]).toEqual({ name: "amount", definition: "amounts" });
    expect(renamed.documents[1]?.entities[0]?.type).toBe("amount");
    expect(renameType(project, "quantity", "ingredient")).toBe(project);
    expect(renameType(project, "quantity", "  ")).toBe(project);
  });

  it("renames and removes in what was refused too", () => {
    const rejected = [quantity, butter];
    const refused: Project = { ...project, documents: [{ ...document, entities: [], rejected }] };
    const [renamed] = renameType(refused, "quantity", "amount").documents;
    expect(renamed?.rejected).toEqual([{ ...quantity, type: "amount" }, butter]);
    expect(removeType(refused, "quantity").documents[0]?.rejected).toEqual([butter]);
    expect(removeType(refused, "utensil").documents[0]).toBe(refused.documents[0]);
  });

  it("removes with the labels", () => {
    const removed = removeType(project, "quantity");
    expect(removed.types.map(({ name }) => name)).toEqual(["ingredient"]);
    expect(removed.documents[0]?.entities).toEqual([butter]);
  });
});
