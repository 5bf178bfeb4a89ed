import { expect, test } from "vitest";
import { caseOf } from "../../ner/cases.ts";
import { casesCsv, casesJson, type CasesChoice } from "./casesFile.ts";

const text = "🚗 classic “saab, 900”";
const entity = (part: string) => ({
  ...{ start: text.indexOf(part), end: text.indexOf(part) + part.length, type: "product" },
});
const document = (part: string) => ({ id: "a", text, entities: [entity(part)] });
const after = { ...document("saab, 900"), hallucinated: [{ type: "person", text: "Ada" }] };
const cases = [caseOf(document("saab, 900"), document("classic “saab, 900”"), after, ["product", "person"])];
const asked = { model: "m", before: "SFT", after: "DPO", filter: "fixed", types: ["product", "person"] };
const choice: CasesChoice = { ...asked, compared: null };

test("JSON has gold, both answers and the choice, offsets in code points", () => {
  const gold = { start: 11, end: 20, type: "product", text: "saab, 900" };
  const predicted = { start: 2, end: 21, type: "product", text: "classic “saab, 900”" };
  expect(JSON.parse(casesJson(cases, choice))).toEqual({
    ...asked,
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

test("both say how the two were trained", () => {
  const differences = [{ setting: "stage", values: ["SFT", "DPO"] }];
  const said = { text: "Configurations: stage SFT | DPO.", differences, notes: [] };
  const compared = { ...said, title: "Configurations", lines: ["stage SFT | DPO"], of: ["stage SFT", "stage DPO"] };
  expect(JSON.parse(casesJson(cases, { ...asked, compared }))).toMatchObject({ before: "SFT", compared: said });
  const [head = "", ...lines] = casesCsv(cases, { ...asked, compared })
    .trim()
    .split("\r\n");
  expect(head.endsWith(",predicted_text,configuration")).toBe(true);
  expect(lines.map((line) => line.split(",").at(-1))).toEqual(["stage SFT", "stage DPO", "stage DPO"]);
});
