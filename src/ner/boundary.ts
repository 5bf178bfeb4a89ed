/**
 * The taxonomy of boundary errors (Table 5 of the OBP-LLM paper, which leaves it undefined): gold and predicted entities
 * of a document are matched one to one, in this order:
 * TP exact span and type; LE exact span, other type; BE same type, overlapping; LBE overlapping, other type; what is left
 * over is FP or FN. Overlapping entities are matched by most shared words, then by most shared characters, then by
 * nearest edges, then from left to right.
 */
import { compareEntities, type Document, type Entity } from "./document.ts";
import { scores, type Pair } from "./metrics.ts";
import { segmentWords } from "./words.ts";

/** `shorter`: inside the gold span; `longer`: around it; `offset`: sticking out on one side and short on the other. */
export type BoundaryErrorKind = "shorter" | "longer" | "offset";

export type Outcome =
  | { readonly kind: "TP" | "LE" | "LBE"; readonly gold: Entity; readonly predicted: Entity }
  | {
      readonly kind: "BE";
      readonly gold: Entity;
      readonly predicted: Entity;
      readonly boundary: BoundaryErrorKind;
      readonly leftWrong: boolean;
      readonly rightWrong: boolean;
      /** No edge is off by more than one word. */
      readonly withinOneWord: boolean;
    }
  | { readonly kind: "FP"; readonly predicted: Entity }
  | { readonly kind: "FN"; readonly gold: Entity };

/** What became of each entity of one document. Hallucinations have no span, so they are not among the outcomes. */
export function matchEntities({ gold, predicted }: Pair): Outcome[] {
  const outcomes: Outcome[] = [];
  const goldLeft = new Set(gold.entities.toSorted(compareEntities));
  const predictedLeft = new Set(predicted.entities.toSorted(compareEntities));
  const words = new WordIndex(gold);
  const pairUp = (match: (pair: EntityPair) => boolean, outcome: (pair: EntityPair) => Outcome) => {
    const candidates = [...goldLeft].flatMap((gold) =>
      [...predictedLeft].map((predicted) => ({ gold, predicted })).filter(match),
    );
    for (const pair of candidates.length > 1 ? words.nearestFirst(candidates) : candidates) {
      if (!goldLeft.has(pair.gold) || !predictedLeft.has(pair.predicted)) continue;
      goldLeft.delete(pair.gold);
      predictedLeft.delete(pair.predicted);
      outcomes.push(outcome(pair));
    }
  };
  pairUp(
    (pair) => isSameSpan(pair) && isSameType(pair),
    (pair) => ({ kind: "TP", ...pair }),
  );
  pairUp(isSameSpan, (pair) => ({ kind: "LE", ...pair }));
  pairUp(
    (pair) => isSameType(pair) && sharedCharacters(pair) > 0,
    (pair) => boundaryError(pair, words),
  );
  pairUp(
    (pair) => sharedCharacters(pair) > 0,
    (pair) => ({ kind: "LBE", ...pair }),
  );
  for (const predicted of predictedLeft) outcomes.push({ kind: "FP", predicted });
  for (const gold of goldLeft) outcomes.push({ kind: "FN", gold });
  return outcomes;
}

interface EntityPair {
  readonly gold: Entity;
  readonly predicted: Entity;
}

function isSameSpan({ gold, predicted }: EntityPair): boolean {
  return gold.start === predicted.start && gold.end === predicted.end;
}

function isSameType({ gold, predicted }: EntityPair): boolean {
  return gold.type === predicted.type;
}

function sharedCharacters({ gold, predicted }: EntityPair): number {
  return Math.min(gold.end, predicted.end) - Math.max(gold.start, predicted.start);
}

function boundaryError(pair: EntityPair, words: WordIndex): Outcome {
  const { gold, predicted } = pair;
  const inside = predicted.start >= gold.start && predicted.end <= gold.end;
  const around = predicted.start <= gold.start && predicted.end >= gold.end;
  const [left, right] = words.edgeDistances(pair);
  return {
    kind: "BE",
    ...pair,
    boundary: inside ? "shorter" : around ? "longer" : "offset",
    leftWrong: gold.start !== predicted.start,
    rightWrong: gold.end !== predicted.end,
    withinOneWord: left <= 1 && right <= 1,
  };
}

/** Distances between spans of one document, in words. A word belongs to each span that it shares a character with. */
class WordIndex {
  readonly #document: Document;
  #words: readonly (readonly [number, number])[] | null = null;

  constructor(document: Document) {
    this.#document = document;
  }

  /** Pairs from the nearest on, by an order in which no two are equal. */
  nearestFirst(pairs: readonly EntityPair[]): EntityPair[] {
    return pairs
      .map((pair) => ({
        pair,
        words: this.#shared(pair),
        characters: sharedCharacters(pair),
        edges: edgeCharacters(pair),
      }))
      .toSorted(
        (a, b) =>
          b.words - a.words ||
          b.characters - a.characters ||
          a.edges - b.edges ||
          compareEntities(a.pair.gold, b.pair.gold) ||
          compareEntities(a.pair.predicted, b.pair.predicted),
      )
      .map(({ pair }) => pair);
  }

  /** By how many words the left and the right edge are off. */
  edgeDistances({ gold, predicted }: EntityPair): [number, number] {
    const [goldFirst, goldLast] = this.#span(gold);
    const [predictedFirst, predictedLast] = this.#span(predicted);
    return [Math.abs(goldFirst - predictedFirst), Math.abs(goldLast - predictedLast)];
  }

  #shared({ gold, predicted }: EntityPair): number {
    const [goldFirst, goldLast] = this.#span(gold);
    const [predictedFirst, predictedLast] = this.#span(predicted);
    return Math.max(0, Math.min(goldLast, predictedLast) - Math.max(goldFirst, predictedFirst) + 1);
  }

  /** First and last word of a span. */
  #span({ start, end }: Entity): [number, number] {
    const words = (this.#words ??= segmentWords(this.#document)); // late: most documents have no boundary error
    return [words.findIndex((word) => word[1] > start), words.findLastIndex((word) => word[0] < end)];
  }
}

function edgeCharacters({ gold, predicted }: EntityPair): number {
  return Math.abs(gold.start - predicted.start) + Math.abs(gold.end - predicted.end);
}

/** Counts and shares over all documents; shares are 0 where their denominator is 0. */
export interface BoundarySummary {
  /** Boundary Error Rate: BE / gold entities. */
  rate: number;
  TP: number;
  /** Exact span, other type. */
  LE: number;
  /** Same type, overlapping: BES + BEL + BEO. */
  BE: number;
  BES: number;
  BEL: number;
  BEO: number;
  /** Overlapping, other type. */
  LBE: number;
  /** Predictions that match nothing, hallucinations among them. */
  FP: number;
  FN: number;
  /** BE / (TP + BE): of the entities found with the right type, how many have wrong boundaries. */
  shareOfFound: number;
  /** BE / (LE + BE + LBE + FP + FN). */
  shareOfErrors: number;
  /** Boundary errors with a wrong left edge only, right edge only, and both. */
  leftEdge: number;
  rightEdge: number;
  bothEdges: number;
  /** Share of the boundary errors with neither edge off by more than one word. */
  withinOneWord: number;
  /** Strict F1 if every boundary error were right. */
  f1IfFixed: number;
}

export function boundarySummary(pairs: readonly Pair[]): BoundarySummary {
  const counts = { TP: 0, LE: 0, BE: 0, LBE: 0, FP: 0, FN: 0 };
  const kinds = { shorter: 0, longer: 0, offset: 0 };
  const edges = { leftEdge: 0, rightEdge: 0, bothEdges: 0 };
  let near = 0;
  for (const pair of pairs) {
    for (const outcome of matchEntities(pair)) {
      counts[outcome.kind]++;
      if (outcome.kind !== "BE") continue;
      kinds[outcome.boundary]++;
      edges[outcome.leftWrong ? (outcome.rightWrong ? "bothEdges" : "leftEdge") : "rightEdge"]++;
      if (outcome.withinOneWord) near++;
    }
    counts.FP += pair.predicted.hallucinated?.length ?? 0;
  }
  const { TP, LE, BE, LBE, FP, FN } = counts;
  const gold = TP + LE + BE + LBE + FN;
  const predicted = TP + LE + BE + LBE + FP;
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return {
    rate: share(BE, gold),
    TP,
    LE,
    BE,
    BES: kinds.shorter,
    BEL: kinds.longer,
    BEO: kinds.offset,
    LBE,
    FP,
    FN,
    shareOfFound: share(BE, TP + BE),
    shareOfErrors: share(BE, LE + BE + LBE + FP + FN),
    ...edges,
    withinOneWord: share(near, BE),
    f1IfFixed: scores({ tp: TP + BE, fp: predicted - TP - BE, fn: gold - TP - BE }).f1,
  };
}
