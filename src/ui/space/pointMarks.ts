// What the marks of the points stand for: a group has a colour and a shape of its own. Pure.

import { matchEntities } from "../../ner/boundary.ts";
import type { Document } from "../../ner/document.ts";
import type { SpacePoint } from "../../worker/protocol.ts";
import { typeStyle } from "../typeStyle.ts";

export interface PointGroup {
  name: string;
  /** A CSS variable. */
  color: string;
  shape: string;
  count: number;
}

export interface PointMarks {
  groups: readonly PointGroup[];
  /** Of each point, an index into `groups`. */
  groupOf: readonly number[];
}

const OUTCOMES = {
  TP: { name: "right", color: "--good", shape: "●" },
  BE: { name: "wrong edges", color: "--type-1", shape: "◆" },
  LE: { name: "other type", color: "--bad", shape: "■" },
  LBE: { name: "other type and edges", color: "--bad", shape: "★" },
  FN: { name: "missed", color: "--bad", shape: "▲" },
  none: { name: "not predicted", color: "--text-faint", shape: "○" },
} as const;

export function marksByType(points: readonly SpacePoint[], types: readonly string[]): PointMarks {
  return grouped(
    points.map(({ type }) => types.indexOf(type)),
    types.map((name, index) => ({ name, ...styleOf(index, 0) })),
  );
}

/** Eight colours, and eight shapes in each: what 65 documents and more share is told apart by pointing at it. */
export function marksByDocument(points: readonly SpacePoint[]): PointMarks {
  const names = [...new Set(points.map(({ document }) => document))];
  const at = new Map(names.map((name, index) => [name, index]));
  return grouped(
    points.map(({ document }) => at.get(document) ?? -1),
    names.map((name, index) => ({ name, ...styleOf(index, Math.floor(index / 8)) })),
  );
}

/**
 * What became of each point's gold entity in a prediction of its document (the kinds of ner/boundary.ts).
 * @param gold and `predicted` by id; a document whose text is not that of its prediction counts as not predicted
 */
export function marksByCorrectness(
  points: readonly SpacePoint[],
  gold: ReadonlyMap<string, Document>,
  predicted: ReadonlyMap<string, Document>,
): PointMarks {
  const kinds = Object.keys(OUTCOMES);
  const outcomes = new Map<string, Map<string, string>>();
  const ofDocument = (id: string): Map<string, string> => {
    const known = outcomes.get(id);
    if (known !== undefined) return known;
    const [one, other] = [gold.get(id), predicted.get(id)];
    const matched = one === undefined || one.text !== other?.text ? [] : matchEntities({ gold: one, predicted: other });
    const found = new Map(
      matched.flatMap((outcome) => ("gold" in outcome ? [[keyOf(outcome.gold), outcome.kind] as const] : [])),
    );
    outcomes.set(id, found);
    return found;
  };
  return grouped(
    points.map((point) => kinds.indexOf(ofDocument(point.document).get(keyOf(point)) ?? "none")),
    Object.values(OUTCOMES),
  );
}

function keyOf({ start, end, type }: { start: number; end: number; type: string }): string {
  return `${start} ${end} ${type}`;
}

function styleOf(index: number, turn: number): { color: string; shape: string } {
  return { color: `--type-${index % 8}`, shape: typeStyle(index + turn).shape };
}

function grouped(groupOf: readonly number[], groups: readonly Omit<PointGroup, "count">[]): PointMarks {
  const counts = new Uint32Array(groups.length);
  for (const group of groupOf) if (group >= 0) counts[group] = (counts[group] ?? 0) + 1;
  return { groupOf, groups: groups.map((group, index) => ({ ...group, count: counts[index] ?? 0 })) };
}
