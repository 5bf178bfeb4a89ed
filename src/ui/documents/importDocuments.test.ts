import { describe, expect, it } from "vitest";
import type { Project } from "../../storage/project.ts";
import { documentsFromText, newTypeNames, withImported } from "./importDocuments.ts";

const project: Project = {
  name: "p",
  types: [{ name: "person", definition: "names of people" }],
  documents: [
    { id: "1", text: "Ada wrote.", entities: [], split: "train", done: true },
    { id: "2", text: "Bob read.", entities: [], split: "heldout", done: true },
  ],
};
const incoming = [
  { id: "1", text: "Eve left Rome.", entities: [{ start: 9, end: 13, type: "place" }] },
  { id: "1", text: "Eve", entities: [{ start: 0, end: 3, type: "person" }] },
];

describe("withImported", () => {
  it("keeps ids unique and adds unknown types without a definition", () => {
    const after = withImported(project, incoming, { split: "train", mode: "add", done: true });
    expect(after.documents.map(({ id }) => id)).toEqual(["1", "2", "1-2", "1-3"]);
    expect(after.types).toEqual([...project.types, { name: "place", definition: "" }]);
    expect(newTypeNames(project, incoming)).toEqual(["place"]);
  });

  it("replaces only the split it goes to", () => {
    const after = withImported(project, incoming.slice(0, 1), { split: "heldout", mode: "replace", done: false });
    expect(after.documents.map(({ id, split, done }) => [id, split, done])).toEqual([
      ["1", "train", true],
      ["1-2", "heldout", false],
    ]);
  });
});

describe("documentsFromText", () => {
  it("takes each line that is not empty, with ids of its own", () => {
    const documents = documentsFromText(" One.\r\n\n  \nTwo. ");
    expect(documents.map(({ text }) => text)).toEqual(["One.", "Two."]);
    expect(new Set(documents.map(({ id }) => id)).size).toBe(2);
  });
});
