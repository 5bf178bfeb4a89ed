import { describe, expect, it } from "vitest";
import type { Entity } from "../../ner/document.ts";
import type { SuggestionRecord } from "../../storage/database.ts";
import type { ProjectDocument } from "../../storage/project.ts";
import { removeEntity } from "./edits.ts";
import {
  acceptAll,
  fixSuggestion,
  labelOver,
  marksOf,
  modelDisagrees,
  openSuggestions,
  refuse,
} from "./suggestions.ts";

const text = "Marta Lund met Tom in Oslo";
const marta = { start: 0, end: 5, type: "person", probability: 0.9 };
const tom = { start: 15, end: 18, type: "person", probability: 0.7 };
const oslo = { start: 22, end: 26, type: "place", probability: 0.5 };
const types = ["person", "place"].map((name) => ({ name, definition: "x" }));
const record: SuggestionRecord = {
  ...{ documentId: "d", text, model: "m", adapter: null },
  ...{ types: ["person", "place"], entities: [marta, tom, oslo] },
};
const document: ProjectDocument = { id: "d", text, entities: [], split: "train", done: false };
const spans = (list: readonly Entity[]): string[] =>
  list.map(({ start, end, type }) => `${text.slice(start, end)} ${type}`);
const open = (changed: Partial<ProjectDocument>, asked: readonly { name: string; definition: string }[] = types) =>
  spans(openSuggestions({ ...document, ...changed }, record, asked));
const gold = (start: number, end: number, type: string): Entity => ({ start, end, type });

describe("openSuggestions", () => {
  it("are those of the record, with their probabilities", () => {
    expect(openSuggestions(document, record, types)).toEqual([marta, tom, oslo]);
    expect(openSuggestions(document, undefined, types)).toEqual([]);
  });

  it.each<[string, Partial<ProjectDocument>, string[]]>([
    ["labelled so", { entities: [gold(0, 5, "person")] }, ["Tom person", "Oslo place"]],
    ["under a label of its type", { entities: [gold(0, 10, "person")] }, ["Tom person", "Oslo place"]],
    [
      "beside a label that it does not touch",
      { entities: [gold(5, 6, "person")] },
      ["Marta person", "Tom person", "Oslo place"],
    ],
    [
      "under a label of another type",
      { entities: [gold(22, 26, "person")] },
      ["Marta person", "Tom person", "Oslo place"],
    ],
    ["refused", { rejected: [gold(15, 18, "person")] }, ["Marta person", "Oslo place"]],
    ["refused as another type", { rejected: [gold(15, 18, "place")] }, ["Marta person", "Tom person", "Oslo place"]],
    ["of another text", { text: `${text}.` }, []],
    ["of a document that is done", { done: true }, []],
  ])("one that is %s", (_, changed, shown) => {
    expect(open(changed)).toEqual(shown);
  });

  it("are only of types that are still there", () => {
    expect(open({}, types.slice(1))).toEqual(["Oslo place"]);
  });
});

describe("modelDisagrees", () => {
  const disagrees = (changed: Partial<ProjectDocument>, from: SuggestionRecord | undefined = record) =>
    modelDisagrees({ ...document, ...changed }, from, types);

  it("where suggestions are open, or a label was not found", () => {
    expect(disagrees({})).toBe(true);
    const agreed = [gold(0, 5, "person"), gold(15, 18, "person"), gold(22, 26, "place")];
    expect(disagrees({ entities: agreed })).toBe(false);
    expect(disagrees({ entities: agreed, done: true })).toBe(false);
    expect(disagrees({ entities: [...agreed, gold(6, 10, "person")] })).toBe(true);
    expect(disagrees({ entities: [...agreed, gold(6, 10, "person")], done: true })).toBe(true);
    expect(disagrees({ entities: agreed.slice(1), rejected: [gold(0, 5, "person")] })).toBe(false);
  });

  it("says nothing of types that it was not asked for, of another text, or where it was not asked", () => {
    const agreed = [gold(0, 5, "person"), gold(15, 18, "person"), gold(22, 26, "place")];
    expect(disagrees({ entities: [...agreed, gold(11, 14, "verb")] })).toBe(false);
    expect(disagrees({ text: `${text}.`, entities: [gold(6, 10, "person")] })).toBe(false);
    expect(modelDisagrees({ ...document, entities: [gold(6, 10, "person")] }, undefined, types)).toBe(false);
  });
});

describe("what a person makes of suggestions", () => {
  const all = openSuggestions(document, record, types);

  it("accepted, they are labels without a probability, all at once", () => {
    const accepted = acceptAll(document, all);
    expect(accepted.entities).toEqual([gold(0, 5, "person"), gold(15, 18, "person"), gold(22, 26, "place")]);
    expect([accepted.rejected, openSuggestions(accepted, record, types)]).toEqual([undefined, []]);
    expect(acceptAll(document, [])).toBe(document);
  });

  it("refused, each is kept once, in text order and without a probability", () => {
    const refused = refuse(refuse(document, [oslo]), [marta]);
    expect(refused.rejected).toEqual([gold(0, 5, "person"), gold(22, 26, "place")]);
    expect(refuse(refused, [marta])).toBe(refused);
    expect(open(refused)).toEqual(["Tom person"]);
  });

  it("fixed, the right span is a label and the wrong one is kept as refused", () => {
    const wider = fixSuggestion(document, marta, gold(0, 10, "person"), all);
    expect([wider.entities, wider.rejected]).toEqual([[gold(0, 10, "person")], [gold(0, 5, "person")]]);
    const retyped = fixSuggestion(document, oslo, gold(22, 26, "person"), all);
    expect([retyped.entities, retyped.rejected]).toEqual([[gold(22, 26, "person")], [gold(22, 26, "place")]]);
    expect(open(retyped)).toEqual(["Marta person", "Tom person"]);
    const same = fixSuggestion(document, oslo, gold(22, 26, "place"), all);
    expect([same.entities, same.rejected]).toEqual([[gold(22, 26, "place")], undefined]);
  });

  it("a label drawn over suggestions of its type corrects them, and no others", () => {
    const over = labelOver(document, gold(0, 18, "person"), all);
    expect([over.entities, over.rejected]).toEqual([
      [gold(0, 18, "person")],
      [gold(0, 5, "person"), gold(15, 18, "person")],
    ]);
    expect(labelOver(document, gold(15, 26, "verb"), all).rejected).toBeUndefined();
    expect(labelOver(document, gold(3, 3, "person"), all)).toBe(document);
  });

  it("a refused span that is labelled after all is refused no longer; the label removed, it is open again", () => {
    const refused = refuse(document, [marta]);
    const labelled = labelOver(refused, gold(0, 5, "person"), []);
    expect([labelled.entities, labelled.rejected]).toEqual([[gold(0, 5, "person")], []]);
    expect(open(removeEntity(labelled, marta))).toContain("Marta person");
  });
});

it("marksOf has labels and suggestions in text order", () => {
  const labelled = { ...document, entities: [gold(6, 10, "person")] };
  expect(marksOf(labelled, [marta, tom]).map(({ start, suggested }) => [start, suggested])).toEqual([
    [0, true],
    [6, false],
    [15, true],
  ]);
});
