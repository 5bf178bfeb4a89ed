// The project's own format: {"id","text","entities":[{"start","end","type"}]} a line. Optional: `words` (the corpus's
// tokens as [start, end]), and on predictions `hallucinated` and each entity's `probability`. Unknown fields of a
// document are kept; those of an entity are named in a warning.
import * as v from "valibot";
import { compareEntities, type Document } from "../ner/document.ts";
import type { Format, ParseOptions, ParseResult, WriteOptions, WriteResult } from "./format.ts";
import { firstObjects, parseJsonLines, writeJsonLines } from "./jsonLines.ts";
import { OffsetMap } from "./offsets.ts";

const lineSchema = v.looseObject({
  id: v.optional(v.union([v.string(), v.number()])),
  text: v.string(),
  entities: v.optional(
    v.array(
      v.looseObject({ start: v.number(), end: v.number(), type: v.string(), probability: v.optional(v.number()) }),
    ),
  ),
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
    const { id = line, text, entities, words, hallucinated, ...extra } = value;
    const map = new OffsetMap(text, offsets);
    const document: Document = { id: String(id), text, entities: [] };
    if (entities === undefined) unlabelled.push(line);
    for (const [index, { start, end, type, probability, ...others }] of (entities ?? []).entries()) {
      const range = map.range(start, end);
      if (typeof range === "string") return `document "${id}": entity ${index} (${start}–${end}, ${type}) ${range}`;
      document.entities.push({
        start: range[0],
        end: range[1],
        type,
        ...(probability !== undefined && { probability }),
      });
      Object.keys(others).forEach((field) => lostFields.add(field));
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

function write(documents: readonly Document[], { offsets = "code-points" }: WriteOptions = {}): WriteResult {
  return writeJsonLines(documents, Object.keys(lineSchema.entries), ({ id, text, entities, words, hallucinated }) => {
    const map = new OffsetMap(text, offsets);
    return {
      id,
      text,
      entities: entities.toSorted(compareEntities).map(({ start, end, ...rest }) => ({
        start: map.toFile(start),
        end: map.toFile(end),
        ...rest,
      })),
      ...(words !== undefined && { words: words.map(([start, end]) => [map.toFile(start), map.toFile(end)]) }),
      ...(hallucinated !== undefined && { hallucinated }),
    };
  });
}

export const obpJsonl = { name: "obp-jsonl", detect, parse, write } as const satisfies Format;
