/** Everything that is said of predictions against gold: strict scores, boundary errors, the ancestor's score. */
import { boundarySummary, type BoundarySummary } from "./boundary.ts";
import type { Document } from "./document.ts";
import { spanScores, stringSetScores, type Pair, type SpanScores } from "./metrics.ts";

/** Predictions that cannot be compared with the gold documents; one sentence. */
export class EvaluationError extends Error {
  override readonly name = "EvaluationError";
}

export interface Evaluation extends SpanScores {
  documents: number;
  byType: Record<string, SpanScores>;
  boundary: BoundarySummary;
  /** The ancestor's lower-cased string-set F1, for comparison only. */
  stringSetF1: number;
}

/**
 * Scores predictions document by document, found by id. With `types`, entities of other types are left out on both
 * sides: the score is that of a task with these types only.
 * @throws EvaluationError where the documents are not the same on both sides.
 */
export function evaluate(
  gold: readonly Document[],
  predicted: readonly Document[],
  types?: readonly string[],
): Evaluation {
  const keep = (document: Document): Document => {
    if (types === undefined) return document;
    const { entities, hallucinated = [] } = document;
    const isKept = ({ type }: { type: string }) => types.includes(type);
    return { ...document, entities: entities.filter(isKept), hallucinated: hallucinated.filter(isKept) };
  };
  const pairs = pairDocuments(gold, predicted).map(({ gold, predicted }) => ({
    gold: keep(gold),
    predicted: keep(predicted),
  }));
  return {
    documents: pairs.length,
    ...spanScores(pairs),
    boundary: boundarySummary(pairs),
    stringSetF1: stringSetScores(pairs).f1,
  };
}

/** Gold documents with their predictions, by id. @throws EvaluationError */
export function pairDocuments(gold: readonly Document[], predicted: readonly Document[]): Pair[] {
  const predictionOf = byId(predicted, "the predictions");
  const goldOf = byId(gold, "gold");
  const missing = gold.filter(({ id }) => !predictionOf.has(id));
  const extra = predicted.filter(({ id }) => !goldOf.has(id));
  if (missing.length > 0) {
    throw new EvaluationError(`expected a prediction for every gold document, got none for ${nameFew(missing)}`);
  }
  if (extra.length > 0) {
    throw new EvaluationError(`expected predictions for gold documents only, got one for ${nameFew(extra)}`);
  }
  return gold.map((document) => {
    const prediction = predictionOf.get(document.id) ?? document; // there, as checked above
    if (prediction.text !== document.text) throw new EvaluationError(differentText(document, prediction.text));
    return { gold: document, predicted: prediction };
  });
}

function byId(documents: readonly Document[], side: string): Map<string, Document> {
  const map = new Map<string, Document>();
  for (const document of documents) {
    if (map.has(document.id))
      throw new EvaluationError(`expected ids of their own in ${side}, got "${document.id}" twice`);
    map.set(document.id, document);
  }
  return map;
}

function nameFew(documents: readonly Document[]): string {
  const names = documents.slice(0, 3).map(({ id }) => `"${id}"`);
  return documents.length > 3 ? `${names.join(", ")} and ${documents.length - 3} more` : names.join(", ");
}

function differentText({ id, text }: Document, other: string): string {
  let at = 0;
  while (text[at] === other[at]) at++;
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 10), at + 20));
  return `expected the same text in gold and prediction of document "${id}", got ${around(text)} and ${around(other)} at ${at}`;
}
