import { expect, test } from "vitest";
import { caseOf } from "../../ner/cases.ts";
import { casesCsv, casesJson } from "./casesFile.ts";

const text = "🚗 classic “saab, 900”";
const entity = (part: string) => ({
  ...{ start: text.indexOf(part), end: text.indexOf(part) + part.length, type: "product" },
});
const document = (part: string) => ({ id: "a", text, entities: [entity(part)] });
const after = { ...document("saab, 900"), hallucinated: [{ type: "person", text: "Ada" }] };
const cases = [caseOf(document("saab, 900"), document("classic “saab, 900”"), after, ["product", "person"])];
const choice = { model: "m", before: "SFT", after: "DPO", filter: "fixed", types: ["product", "person"] };

test("JSON has gold, both answers and the choice, offsets in code points", () => {
  const gold = { start: 11, end: 20, type: "product", text: "saab, 900" };
  const predicted = { start: 2, end: 21, type: "product", text: "classic “saab, 900”" };
  expect(JSON.parse(casesJson(cases, choice))).toEqual({
    ...choice,
    cases: [
      {
        ...{ id: "a", text, gold: [gold], fixed: 1, broken: 1 },
        before: { outcomes: [{ kind: "BE", boundary: "longer", gold, predicted }], hallucinated: [] },
        after: {
          outcomes: [{ kind: "TP", gold, predicted: gold }],
          hallucinated: [{ type: "person", text: "Ada" }],
        },
      },
    ],
  });
});

test("CSV has a line an outcome", () => {
  expect(casesCsv(cases, choice).split("\r\n").slice(1)).toEqual([
    'a,before,SFT,BE,longer,11,20,product,"saab, 900",2,21,product,"classic “saab, 900”"',
    'a,after,DPO,TP,,11,20,product,"saab, 900",11,20,product,"saab, 900"',
    "a,after,DPO,hallucinated,,,,,,,,person,Ada",
    "",
  ]);
});
