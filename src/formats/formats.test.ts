import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compareEntities, type Document } from "../ner/document.ts";
import { detectFormat, FORMAT_NAMES, parseDocuments, writeDocuments, type FormatName } from "./formats.ts";
import { OFFSET_UNITS } from "./format.ts";
import { randomDocument } from "./testDocuments.ts";

const folder = new URL("samples/", import.meta.url);
const samples = readdirSync(folder).map((file) => ({
  name: file.replace(/\..*$/, ""),
  bytes: readFileSync(new URL(file, folder)),
}));

describe("detection by content", () => {
  it("has a sample of every format", () => {
    expect(samples.map(({ name }) => name).toSorted()).toEqual(FORMAT_NAMES.toSorted());
  });

  it.each(samples)(
    "$name, as it is, with a byte-order mark, with CRLF, and with a broken first line",
    ({ name, bytes }) => {
      const text = bytes.toString("utf8");
      expect(detectFormat(text)).toBe(name);
      const plain = parseDocuments(bytes);
      expect(plain).toMatchObject({ format: name, errors: [], warnings: [] });
      expect(parseDocuments(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]))).toEqual(plain);
      expect(parseDocuments(text.replaceAll("\n", "\r\n"))).toEqual(plain);
      if (name === "hou-episodes") return; // one JSON object: nothing is left of it when it is broken
      const broken = parseDocuments(`${text.startsWith("{") ? "{" : "broken"}\n\n${text}`);
      expect(broken.format).toBe(name);
      expect(broken.errors).toEqual([expect.stringMatching(/^line 1: /)]);
      expect(broken.documents).toHaveLength(plain.documents.length);
    },
  );

  it.each([
    ["", "expected documents, got an empty file"],
    [" \n\n", "expected documents, got an empty file"],
    [
      "Once there was a port.\nIt was cold.\n",
      /^expected one of the formats obp-jsonl, conll-bio, .* got a file that starts with "Once/,
    ],
    ['{"tokens":["a"],"ner_tags":[0]}', /^expected one of the formats/],
    ["a\tb-per\nb\ti-per\nc\tO\n", /^expected one of the formats/],
    ["{", /^expected one of the formats/],
    ["id,text\n1,a\n", /^expected one of the formats/],
    [
      '{"id":"1","text":"a","entities":[]}\n{"id":"2","text":"a","label":[]}',
      "expected one format, got a file that could be obp-jsonl or doccano (name the one it is)",
    ],
  ])("%j is refused", (text, message) => {
    expect(() => detectFormat(text)).toThrow(message);
  });

  it("reads tags that are all O as conll-bio", () => {
    expect(detectFormat("a\tO\nb\tO\n")).toBe("conll-bio");
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(() => parseDocuments(Uint8Array.of(0x61, 0xe9, 0x0a))).toThrow("got bytes of another encoding");
    expect(() => parseDocuments(Uint8Array.of(0xff, 0xfe, 0x61, 0))).toThrow("expected UTF-8 text, got UTF-16");
  });

  it("refuses to write one id twice", () => {
    const document = { id: "x", text: "a", entities: [] };
    expect(() => writeDocuments([document, document], "obp-jsonl")).toThrow('got "x" twice');
  });
});

describe("further fields of a document", () => {
  it.each([
    ["obp-jsonl", "words"],
    ["doccano", "labels"],
  ] as const)("%s: one named %s, which means something there, is left out and named", (format, field) => {
    const document = { id: "x", text: "a", entities: [], extra: { [field]: "three", lang: "en" } };
    const { text, warnings } = writeDocuments([document], format);
    expect(warnings).toEqual([`document "x": its field ${field} is not kept`]);
    const read = parseDocuments(text, { format });
    expect([read.errors, read.documents[0]?.extra]).toEqual([[], { lang: "en" }]);
  });
});

describe("refused suggestions", () => {
  it.each(FORMAT_NAMES.filter((name) => name !== "obp-jsonl"))("%s has no place for them, and says so", (format) => {
    const rejected = [{ start: 0, end: 4, type: "place" }];
    const document = { id: "Vigo/0/batch/0", text: "Vigo", entities: [], rejected };
    expect(writeDocuments([document], format).warnings).toContainEqual(
      expect.stringMatching(/^document "Vigo\/0\/batch\/0": refused suggestions are not kept$/),
    );
    expect(writeDocuments([{ ...document, rejected: [] }], format).warnings.join()).not.toContain("refused");
  });
});

describe("round trips of random documents", () => {
  const seeds = Array.from({ length: 400 }, (_, index) => index + 1);
  const sorted = ({ entities }: Document) => entities.toSorted(compareEntities);
  const trip = (documents: readonly Document[], format: FormatName, offsets: (typeof OFFSET_UNITS)[number]) => {
    const { text, warnings } = writeDocuments(documents, format, { offsets });
    const bytes = new TextEncoder().encode(text);
    const read = parseDocuments(bytes, { format, offsets });
    expect(read.errors).toEqual([]);
    return { documents: read.documents, warnings };
  };

  it.each(OFFSET_UNITS)("the JSON formats keep everything, in %s, nested entities too", (offsets) => {
    const documents = seeds.map((seed) => randomDocument(seed, { overlapping: true }));
    const byOrder = documents.map((document) => ({ ...document, entities: sorted(document) }));
    expect(trip(documents, "obp-jsonl", offsets).documents).toEqual(byOrder);
    const withoutWords = byOrder.map(({ id, text, entities }) => ({ id, text, entities }));
    expect(trip(documents, "doccano", offsets).documents).toEqual(withoutWords);
  });

  it("conll-bio keeps ids, texts and apart entities; a second trip changes nothing", () => {
    const documents = seeds.map((seed) => randomDocument(seed));
    const once = trip(documents, "conll-bio", "code-points");
    for (const [index, document] of documents.entries()) {
      const lost = once.warnings.filter((warning) => warning.startsWith(`document "${document.id}": entity`));
      const read = once.documents[index];
      expect([read?.id, read?.text]).toEqual([document.id, document.text]);
      if (lost.length === 0) expect(read?.entities).toEqual(sorted(document));
      else expect(read?.entities.length).toBeLessThanOrEqual(document.entities.length);
    }
    expect(trip(once.documents, "conll-bio", "code-points")).toEqual({ documents: once.documents, warnings: [] });
  });

  it("conll-bio: each overlapping entity is either kept or named", () => {
    const documents = seeds.map((seed) => randomDocument(seed, { overlapping: true }));
    const { documents: read, warnings } = trip(documents, "conll-bio", "code-points");
    const count = (list: readonly Document[]) => list.reduce((sum, { entities }) => sum + entities.length, 0);
    const lost = warnings.filter((warning) => warning.includes(" is lost: ")).length;
    expect(lost).toBeGreaterThan(100);
    expect(count(read)).toBe(count(documents) - lost);
  });

  it("few-nerd-txt: each entity is kept, or named as merging", () => {
    const documents = seeds.map((seed) => randomDocument(seed));
    const { documents: read, warnings } = trip(documents, "few-nerd-txt", "code-points");
    for (const [index, document] of documents.entries()) {
      const lost = warnings.filter((warning) => warning.startsWith(`document "${document.id}": entity`)).length;
      expect(read[index]?.text).toBe(document.text);
      expect(read[index]?.entities).toHaveLength(document.entities.length - lost);
    }
  });

  it("hou-episodes keeps words and entities", () => {
    const documents = seeds
      .map((seed) => randomDocument(seed))
      .map((document, index) => ({ ...document, id: `Random/${Math.floor(index / 20)}/batch/${index % 20}` }));
    const once = trip(documents, "hou-episodes", "code-points");
    expect(trip(once.documents, "hou-episodes", "code-points")).toEqual({ documents: once.documents, warnings: [] });
    const strings = ({ text, entities }: Document) =>
      entities.map(({ start, end, type }) => `${type} ${text.slice(start, end).replace(/\s/g, "")}`);
    for (const [index, document] of documents.entries()) {
      const changed = once.warnings.some((warning) => warning.startsWith(`document "${document.id}": entity`));
      const read = once.documents[index];
      if (!changed && read !== undefined)
        expect(strings(read)).toEqual(strings({ ...document, entities: sorted(document) }));
    }
  });
});
