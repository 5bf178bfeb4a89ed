import { expect, it } from "vitest";
import { typesOf } from "./typesJson.ts";

it("types keep their order", () => {
  expect(typesOf({ place: "names of places", ant: "ants" }, "t.json")).toEqual([
    { name: "place", definition: "names of places" },
    { name: "ant", definition: "ants" },
  ]);
});

it.each([
  [["place"], 'expected t.json to hold an object {"type": "definition", …}, got a list'],
  [null, "got null"],
  [{}, "expected at least one type in t.json, got none"],
  [{ " place": "x" }, 'expected type names without spaces around them in t.json, got " place"'],
  [{ place: " " }, "expected a definition of type place in t.json, got an empty one"],
  [{ place: 3 }, "expected a definition of type place in t.json, got 3"],
])("%j is refused", (content, message) => {
  expect(() => typesOf(content, "t.json")).toThrow(message);
});
