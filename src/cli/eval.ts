// obp eval: predictions against gold.
import { FORMAT_NAMES } from "../formats/formats.ts";
import { evaluate, type Evaluation } from "../ner/evaluate.ts";
import { documentFlags, readDocuments, readTypes } from "./documents.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: {},
  flags: {
    gold: { kind: "text", value: "FILE", required: true, help: "documents with the right entities" },
    pred: { kind: "text", value: "FILE", required: true, help: "the same documents, with predicted entities" },
    types: { kind: "text", value: "T.json", help: "score these types only, on both sides (default: all)" },
    ...documentFlags,
    "gold-format": { kind: "choice", choices: FORMAT_NAMES, help: "format of the gold file alone" },
    "pred-format": { kind: "choice", choices: FORMAT_NAMES, help: "format of the predictions alone" },
  },
  example: "npx obp eval --gold public/samples/heldout.jsonl --pred public/samples/heldout.jsonl",
  run({ flags }, context) {
    const note = (line: string) => context.note(line);
    const { format, offsets } = flags;
    const gold = readDocuments(flags.gold, { format: flags["gold-format"] ?? format, offsets }, note);
    const predicted = readDocuments(flags.pred, { format: flags["pred-format"] ?? format, offsets }, note);
    const types = flags.types === undefined ? undefined : readTypes(flags.types).map(({ name }) => name);
    const evaluation = evaluate(gold, predicted, types);
    return Promise.resolve({ json: { ...evaluation }, text: evaluationText(evaluation) });
  },
});

/** Scores for people, four digits behind the point. */
function evaluationText({ byType, boundary, hallucinated, stringSetF1, documents, ...all }: Evaluation): string {
  const digits = (value: number) => value.toFixed(4);
  const nameWidth = Math.max(8, ...Object.keys(byType).map(({ length }) => length));
  const row = (name: string, { precision, recall, f1, tp, fp, fn, support }: typeof all) =>
    [
      name.padEnd(nameWidth),
      ...[precision, recall, f1].map((value) => digits(value).padStart(9)),
      ...[tp, fp, fn, support].map((value) => String(value).padStart(7)),
    ].join(" ");
  const heads = ["precision", "recall", "f1"].map((head) => head.padStart(9));
  const counts = ["tp", "fp", "fn", "gold"].map((head) => head.padStart(7));
  const { BE, BES, BEL, BEO, LE, LBE, FP, FN, TP } = boundary;
  return [
    `strict spans, ${documents} documents, micro-averaged`,
    [" ".repeat(nameWidth), ...heads, ...counts].join(" "),
    row("all", all),
    ...Object.entries(byType).map(([type, scores]) => row(type, scores)),
    "",
    `boundary error rate ${digits(boundary.rate)}: ${BE} of ${all.support} gold entities (shorter ${BES}, longer ${BEL}, offset ${BEO})`,
    `  edge: left ${boundary.leftEdge}, right ${boundary.rightEdge}, both ${boundary.bothEdges}; off by at most one word ${digits(boundary.withinOneWord)}`,
    `  of entities found ${digits(boundary.shareOfFound)}, of all errors ${digits(boundary.shareOfErrors)}; strict f1 if fixed ${digits(boundary.f1IfFixed)}`,
    `right ${TP}, wrong type ${LE}, wrong type and boundary ${LBE}, spurious ${FP} (not in the text ${hallucinated}), missed ${FN}`,
    `lower-cased string-set f1 ${digits(stringSetF1)} (the ancestor's score, for comparison only)`,
  ].join("\n");
}
