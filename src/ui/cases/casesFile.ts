// Cases as a file. Offsets count code points, as in all files.

import { csvText } from "../../formats/csv.ts";
import { OffsetMap } from "../../formats/offsets.ts";
import type { Outcome } from "../../ner/boundary.ts";
import type { Case, CaseAnswer } from "../../ner/cases.ts";
import type { Entity } from "../../ner/document.ts";
import type { Comparison } from "../../worker/protocol.ts";

export interface CasesChoice {
  model: string;
  /** Names of the two states. */
  before: string;
  after: string;
  filter: string;
  types: readonly string[];
  /** How the two were trained. */
  compared: Comparison | null;
}

export function casesJson(cases: readonly Case[], { compared, ...choice }: CasesChoice): string {
  const written = cases.map(({ gold, before, after, fixed, broken }) => {
    const span = spanWriter(gold.text);
    const answer = ({ predicted, outcomes }: CaseAnswer): object => ({
      outcomes: outcomes.map((outcome) => ({
        kind: outcome.kind,
        ...(outcome.kind === "BE" ? { boundary: outcome.boundary } : {}),
        ...("gold" in outcome ? { gold: span(outcome.gold) } : {}),
        ...("predicted" in outcome ? { predicted: span(outcome.predicted) } : {}),
      })),
      hallucinated: predicted.hallucinated ?? [],
    });
    const { id, text, entities } = gold;
    return { id, text, gold: entities.map(span), before: answer(before), after: answer(after), fixed, broken };
  });
  const { text, differences, notes } = compared ?? {};
  const said = compared === null ? {} : { compared: { text, differences, notes } };
  return `${JSON.stringify({ ...choice, ...said, cases: written })}\n`;
}

const HEAD = [
  ...["document", "state", "adapter", "outcome", "boundary"],
  ...["gold_start", "gold_end", "gold_type", "gold_text"],
  ...["predicted_start", "predicted_end", "predicted_type", "predicted_text"],
];

/** One line an outcome of either state, which ends with what is its own; an invented entity has no place. */
export function casesCsv(cases: readonly Case[], { before, after, compared }: CasesChoice): string {
  const rows = cases.flatMap((one) => {
    const span = spanWriter(one.gold.text);
    const side = (entity: Entity | null): (string | number | null)[] => {
      if (entity === null) return [null, null, null, null];
      const { start, end, type, text } = span(entity);
      return [start, end, type, text];
    };
    return (["before", "after"] as const).flatMap((state) => {
      const name = { before, after }[state];
      const own = compared === null ? [] : [compared.of[state === "before" ? 0 : 1] ?? ""];
      const head = [one.gold.id, state, name];
      const { outcomes, predicted } = one[state];
      const line = (outcome: Outcome): (string | number | null)[] => [
        ...[...head, outcome.kind, outcome.kind === "BE" ? outcome.boundary : null],
        ...side("gold" in outcome ? outcome.gold : null),
        ...side("predicted" in outcome ? outcome.predicted : null),
        ...own,
      ];
      const invented = (predicted.hallucinated ?? []).map(({ type, text }) => [
        ...[...head, "hallucinated", null, null, null, null, null, null, null],
        ...[type, text, ...own],
      ]);
      return [...outcomes.map(line), ...invented];
    });
  });
  return csvText(compared === null ? HEAD : [...HEAD, "configuration"], rows);
}

function spanWriter(text: string) {
  const map = new OffsetMap(text, "code-points");
  return ({ start, end, type }: Entity) => ({
    ...{ start: map.toFile(start), end: map.toFile(end), type },
    text: text.slice(start, end),
  });
}
