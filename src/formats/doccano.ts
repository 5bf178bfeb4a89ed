// doccano's JSONL of sequence labelling: {"id","text","label":[[start, end, type]]} a line, as it exports and imports it.
// Also read: `labels` and `data` of older exports, and the export with relations, {"entities":[{"label","start_offset",
// "end_offset"}],"relations":[…]}. Unknown fields of a document (Comments, metadata) are kept.
import * as v from "valibot";
import { compareEntities, type Document } from "../ner/document.ts";
import type { Format, ParseOptions, ParseResult, WriteOptions, WriteResult } from "./format.ts";
import { firstObjects, parseJsonLines, writeJsonLines } from "./jsonLines.ts";
import { lostFields } from "./losses.ts";
import { OffsetMap } from "./offsets.ts";

const spanSchema = v.tuple([v.number(), v.number(), v.string()]);
const entitySchema = v.looseObject({ label: v.string(), start_offset: v.number(), end_offset: v.number() });
const lineSchema = v.looseObject({
  id: v.optional(v.union([v.string(), v.number()])),
  text: v.optional(v.string()),
  data: v.optional(v.string()),
  label: v.optional(v.array(spanSchema)),
  labels: v.optional(v.array(spanSchema)),
  entities: v.optional(v.array(entitySchema)),
  relations: v.optional(v.array(v.unknown())),
});

function detect(text: string): boolean {
  return firstObjects(text).some((object) => {
    const { text, data, label, labels, entities, relations } = object;
    if (typeof (text ?? data) !== "string") return false;
    const spans: unknown = label ?? labels;
    if (Array.isArray(spans)) return spans.every((span: unknown) => Array.isArray(span));
    return Array.isArray(entities) && (Array.isArray(relations) || entities.some(hasStartOffset));
  });
}

function hasStartOffset(entity: unknown): boolean {
  return typeof entity === "object" && entity !== null && "start_offset" in entity;
}

function parse(text: string, { offsets = "code-points" }: ParseOptions = {}): ParseResult {
  const warnings: string[] = [];
  const { documents, errors } = parseJsonLines(text, lineSchema, (value, line) => {
    const { id = line, text, data, label, labels, entities, relations, ...extra } = value;
    const content = text ?? data;
    if (content === undefined) return "expected a field at text, got none";
    const spans =
      label ??
      labels ??
      entities?.map(({ start_offset, end_offset, label }) => [start_offset, end_offset, label] as const);
    if (spans === undefined) return "expected a field at label, got none (an empty list for a text without entities)";
    if ([label, labels, entities].filter((field) => field !== undefined).length > 1) {
      return "expected the entities in one field, got several of label, labels and entities";
    }
    const map = new OffsetMap(content, offsets);
    const document: Document = { id: String(id), text: content, entities: [] };
    for (const [index, [start, end, type]] of spans.entries()) {
      const range = map.range(start, end);
      if (typeof range === "string") return `document "${id}": entity ${index} (${start}–${end}, ${type}) ${range}`;
      document.entities.push({ start: range[0], end: range[1], type });
    }
    if (text !== undefined && data !== undefined) Object.assign(extra, { data });
    if (relations !== undefined && relations.length > 0) {
      warnings.push(`line ${line}: document "${id}": relations between entities are not kept (${relations.length})`);
    }
    if (Object.keys(extra).length > 0) document.extra = extra;
    return document;
  });
  return { documents, warnings, errors };
}

function write(documents: readonly Document[], { offsets = "code-points" }: WriteOptions = {}): WriteResult {
  const ownFields = ["id", "text", "label", "labels", "entities", "relations"]; // `data` beside `text` is none
  const written = writeJsonLines(documents, ownFields, ({ id, text, entities }) => {
    const map = new OffsetMap(text, offsets);
    return {
      id: isNumeric(id) ? Number(id) : id,
      text,
      label: entities
        .toSorted(compareEntities)
        .map(({ start, end, type }) => [map.toFile(start), map.toFile(end), type]),
    };
  });
  const lost = lostFields(documents, ["words", "probability", "rejected", "hallucinated"]);
  return { text: written.text, warnings: [...written.warnings, ...lost] };
}

/** doccano's own ids are numbers. */
function isNumeric(id: string): boolean {
  return Number.isSafeInteger(Number(id)) && String(Number(id)) === id;
}

export const doccano = { name: "doccano", detect, parse, write } as const satisfies Format;
