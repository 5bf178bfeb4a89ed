/**
 * Strict span scores as conlleval and seqeval count them: a prediction is right when start, end and type are those of a
 * gold entity. Text that is not in the sentence (a hallucination) is a false positive. Counts are pooled (micro).
 */
import type { Document } from "./document.ts";

export interface Counts {
  tp: number;
  fp: number;
  fn: number;
}

export interface Scores extends Counts {
  precision: number;
  recall: number;
  f1: number;
}

/** A gold document and the prediction for it, with the same text. */
export interface Pair {
  readonly gold: Document;
  readonly predicted: Document;
}

/** Precision tp/(tp+fp), recall tp/(tp+fn), F1 their harmonic mean; each 0 where its denominator is 0, as in conlleval. */
export function scores({ tp, fp, fn }: Counts): Scores {
  const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return {
    tp,
    fp,
    fn,
    precision: ratio(tp, tp + fp),
    recall: ratio(tp, tp + fn),
    f1: ratio(2 * tp, 2 * tp + fp + fn),
  };
}

export interface SpanScores extends Scores {
  /** Number of gold entities. */
  support: number;
  /** Predictions that are not in the sentence; they are among `fp`. */
  hallucinated: number;
}

/** Strict scores over all types, and of each type that is in gold or predictions, in alphabetical order. */
export function spanScores(pairs: readonly Pair[]): SpanScores & { byType: Record<string, SpanScores> } {
  const tallies = new Map<string, Counts & { hallucinated: number }>();
  const tally = (type: string) => {
    const counts = tallies.get(type) ?? { tp: 0, fp: 0, fn: 0, hallucinated: 0 };
    tallies.set(type, counts);
    return counts;
  };
  for (const { gold, predicted } of pairs) {
    const goldKeys = new Set(gold.entities.map(({ start, end, type }) => `${start} ${end} ${type}`));
    for (const { start, end, type } of predicted.entities) {
      tally(type)[goldKeys.delete(`${start} ${end} ${type}`) ? "tp" : "fp"]++;
    }
    for (const key of goldKeys) tally(key.replace(/^\d+ \d+ /, "")).fn++;
    for (const { type } of predicted.hallucinated ?? []) {
      tally(type).fp++;
      tally(type).hallucinated++;
    }
  }
  const withScores = (counts: Counts & { hallucinated: number }) => ({
    ...scores(counts),
    support: counts.tp + counts.fn,
    hallucinated: counts.hallucinated,
  });
  const total = { tp: 0, fp: 0, fn: 0, hallucinated: 0 };
  for (const { tp, fp, fn, hallucinated } of tallies.values()) {
    total.tp += tp;
    total.fp += fp;
    total.fn += fn;
    total.hallucinated += hallucinated;
  }
  const byType = [...tallies]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, counts]) => [type, withScores(counts)] as const);
  return { ...withScores(total), byType: Object.fromEntries(byType) };
}

/**
 * The ancestor's score, kept for comparison only: in each sentence and type the gold and the predicted texts are compared
 * as sets of lower-cased strings, wherever they stand. Counts are pooled.
 */
export function stringSetScores(pairs: readonly Pair[]): Scores {
  const counts = { tp: 0, fp: 0, fn: 0 };
  for (const { gold, predicted } of pairs) {
    const goldStrings = typedStrings(gold);
    const predictedStrings = typedStrings(predicted);
    const common = [...goldStrings].filter((string) => predictedStrings.has(string)).length;
    counts.tp += common;
    counts.fp += predictedStrings.size - common;
    counts.fn += goldStrings.size - common;
  }
  return scores(counts);
}

function typedStrings({ text, entities, hallucinated = [] }: Document): Set<string> {
  const found = entities.map(({ start, end, type }) => ({ type, text: text.slice(start, end) }));
  return new Set([...found, ...hallucinated].map(({ type, text }) => `${type}\t${text.toLowerCase()}`));
}
