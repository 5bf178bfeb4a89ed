// Predictions against gold as it is now, and how each entity is marked on screen. Pure.

import { evaluate, type Evaluation } from "../../ner/evaluate.ts";
import { matchEntities } from "../../ner/boundary.ts";
import type { Document, Entity } from "../../ner/document.ts";
import type { PredictionRecord } from "../../storage/database.ts";
import type { Project, ProjectDocument } from "../../storage/project.ts";
import { formatCount } from "../format.ts";

export interface Scored {
  evaluation: Evaluation;
  /** The held-out documents that were scored. */
  gold: ProjectDocument[];
  predicted: ReadonlyMap<string, Document>;
}

/**
 * Scores the held-out documents that are done and that every one of `records` has predicted with their present text, so
 * that the scores compare. One result for each record.
 */
export function scoreAll(project: Project, records: readonly PredictionRecord[]): Scored[] {
  const byId = records.map(({ predictions }) => new Map(predictions.map((document) => [document.id, document])));
  const gold = project.documents.filter(
    ({ id, text, split, done }) =>
      split === "heldout" && done && byId.every((predictions) => predictions.get(id)?.text === text),
  );
  const asked = records.map(({ types }) => types.map(({ name }) => name));
  const shared = (asked[0] ?? []).filter((name) => asked.every((names) => names.includes(name)));
  return byId.map((predicted) => ({
    gold,
    predicted,
    evaluation: evaluate(
      gold,
      gold.flatMap(({ id }) => predicted.get(id) ?? []),
      shared,
    ),
  }));
}

/** Documents that were not predicted with their present text. */
export function unpredicted<T extends Document>(documents: readonly T[], record: PredictionRecord | null): T[] {
  const texts = new Map(record?.predictions.map(({ id, text }) => [id, text]));
  return documents.filter(({ id, text }) => texts.get(id) !== text);
}

/** What part of the held-out sentences a score is of; null: all of them. */
export function partOf(documents: readonly Document[], record: PredictionRecord): string | null {
  const done = documents.length - unpredicted(documents, record).length;
  if (done === documents.length) return null;
  const end = record.stopped === true ? ", stopped" : "";
  return `${formatCount(done)} of ${formatCount(documents.length)} documents${end}`;
}

/**
 * `gold`: as it is labelled; of an answer, `right`: exact; `wrong`: predicted, but not so in gold; `missed`: in gold, and
 * not predicted exactly.
 */
export type MarkKind = "gold" | "right" | "wrong" | "missed";

export interface Mark extends Entity {
  kind: MarkKind;
}

export function marksOf(gold: Document, predicted: Document): Mark[] {
  return matchEntities({ gold, predicted }).flatMap((outcome): Mark[] => {
    if (outcome.kind === "TP") return [{ ...outcome.predicted, kind: "right" }];
    const marks: Mark[] = [];
    if ("predicted" in outcome) marks.push({ ...outcome.predicted, kind: "wrong" });
    if ("gold" in outcome) marks.push({ ...outcome.gold, kind: "missed" });
    return marks;
  });
}
