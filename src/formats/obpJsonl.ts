// The project's own format: {"id","text","entities":[{"start","end","type"}]} a line. Optional: `rejected` (suggestions
// that a person refused, as `entities`), `words` (the corpus's tokens as [start, end]), and on predictions `hallucinated`
// and each entity's `probability`. Unknown fields of a document are kept; those of an entity are named in a warning.
import * as v from "valibot";
import { compareEntities, type Document, type Entity } from "../ner/document.ts";
import type { Format, ParseOptions, ParseResult, WriteOptions, WriteResult } from "./format.ts";
import { firstObjects, parseJsonLines, writeJsonLines } from "./jsonLines.ts";
import { OffsetMap } from "./offsets.ts";

const spanSchema = v.looseObject({
  start: v.number(),
  end: v.number(),
  type: v.string(),
  probability: v.optional(v.number()),
});

const lineSchema = v.looseObject({
  id: v.optional(v.union([v.string(), v.number()])),
  text: v.string(),
  entities: v.optional(v.array(spanSchema)),
  rejected: v.optional(v.array(spanSchema)),
  words: v.optional(v.array(v.tuple([v.number(), v.number()]))),
  hallucinated: v.optional(v.array(v.object({ type: v.string(), text: v.string() }))),
});

function detect(text: string): boolean {
  return firstObjects(text).some(
    (object) =>
      typeof object["text"] === "string" &&
      !("label" in object || "labels" in object || "relations" in object) &&
      (object["entities"] === undefined ? "id" in object : isOwnEntityList(object["entities"])),
  );
}

function isOwnEntityList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((entity: unknown) => typeof entity === "object" && entity !== null && "start" in entity)
  );
}

function parse(text: string, { offsets = "code-points" }: ParseOptions = {}): ParseResult {
  const unlabelled: number[] = [];
  const lostFields = new Set<string>();
  const { documents, errors } = parseJsonLines(text, lineSchema, (value, line) => {
    const { id = line, text, entities, rejected, words, hallucinated, ...extra } = value;
    const map = new OffsetMap(text, offsets);
    if (entities === undefined) unlabelled.push(line);
    const gold = readSpans(entities ?? [], "entity", map, lostFields);
    if (typeof gold === "string") return `document "${id}": ${gold}`;
    const document: Document = { id: String(id), text, entities: gold };
    if (rejected !== undefined) {
      const refused = readSpans(rejected, "rejected span", map, lostFields);
      if (typeof refused === "string") return `document "${id}": ${refused}`;
      document.rejected = refused;
    }
    if (words !== undefined) {
      const ranges: [number, number][] = [];
      for (const [index, [start, end]] of words.entries()) {
        const range = map.range(start, end);
        if (typeof range === "string") return `document "${id}": word ${index} (${start}–${end}) ${range}`;
        ranges.push([...range]);
      }
      document.words = ranges;
    }
    if (hallucinated !== undefined) document.hallucinated = hallucinated;
    if (Object.keys(extra).length > 0) document.extra = extra;
    return document;
  });
  const warnings: string[] = [];
  if (unlabelled.length > 0) {
    warnings.push(
      `line ${unlabelled[0]}: no field "entities", read as a text without any (${unlabelled.length} in all)`,
    );
  }
  if (lostFields.size > 0) warnings.push(`fields of entities that are not kept: ${[...lostFields].join(", ")}`);
  return { documents, warnings, errors };
}

/** The spans of a line, or what is wrong with one. @param lostFields gets the names of fields that are not kept */
function readSpans(
  spans: readonly v.InferOutput<typeof spanSchema>[],
  name: string,
  map: OffsetMap,
  lostFields: Set<string>,
): Entity[] | string {
  const entities: Entity[] = [];
  for (const [index, { start, end, type, probability, ...others }] of spans.entries()) {
    const range = map.range(start, end);
    if (typeof range === "string") return `${name} ${index} (${start}–${end}, ${type}) ${range}`;
    entities.push({ start: range[0], end: range[1], type, ...(probability !== undefined && { probability }) });
    Object.keys(others).forEach((field) => lostFields.add(field));
  }
  return entities;
}

function write(documents: readonly Document[], { offsets = "code-points" }: WriteOptions = {}): WriteResult {
  return writeJsonLines(documents, Object.keys(lineSchema.entries), (document) => {
    const { id, text, entities, rejected = [], words, hallucinated } = document;
    const map = new OffsetMap(text, offsets);
    const spans = (list: readonly Entity[]): Entity[] =>
      list
        .toSorted(compareEntities)
        .map(({ start, end, ...rest }) => ({ start: map.toFile(start), end: map.toFile(end), ...rest }));
    return {
      id,
      text,
      entities: spans(entities),
      ...(rejected.length > 0 && { rejected: spans(rejected) }),
      ...(words !== undefined && { words: words.map(([start, end]) => [map.toFile(start), map.toFile(end)]) }),
      ...(hallucinated !== undefined && { hallucinated }),
    };
  });
}

export const obpJsonl = { name: "obp-jsonl", detect, parse, write } as const satisfies Format;
