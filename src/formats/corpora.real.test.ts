// Every corpus of OBP_DATA_DIR is read, counted, and converted into every other format and back.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareEntities, type Document } from "../ner/document.ts";
import { FORMAT_NAMES, parseDocuments, writeDocuments, type FormatName } from "./formats.ts";

function readCorpus(name: string) {
  const folder = process.env["OBP_DATA_DIR"];
  if (folder === undefined) throw new Error("expected the folder of the corpora in OBP_DATA_DIR, got nothing");
  return readFileSync(join(folder, name));
}

interface Expected {
  file: string;
  format: FormatName;
  sentences: number;
  /** As counted by a few lines of Python that share nothing with this project. */
  entities: number;
  types: number;
  /** Entities that start with an I- tag. */
  unopened?: number;
}

const bio = (file: string, sentences: number, entities: number, types: number): Expected => ({
  file,
  format: "conll-bio",
  sentences,
  entities,
  types,
});
const io = (file: string, sentences: number, entities: number, types: number): Expected => ({
  file,
  format: "few-nerd-txt",
  sentences,
  entities,
  types,
});
const hou = (file: string, sentences: number, entities: number, types: number, unopened: number): Expected => ({
  file: `crossner-hou2020/${file}.json`,
  format: "hou-episodes",
  sentences,
  entities,
  types,
  unopened,
});

const corpora: Expected[] = [
  bio("bc5cdr/devel.tsv", 4581, 9593, 2),
  bio("bc5cdr/test.tsv", 4797, 9809, 2),
  bio("bc5cdr/train.tsv", 4560, 9385, 2),
  bio("crossner-liu2020/ai/dev.txt", 350, 1549, 14),
  bio("crossner-liu2020/ai/test.txt", 431, 1809, 14),
  bio("crossner-liu2020/ai/train.txt", 100, 532, 14),
  bio("crossner-liu2020/literature/dev.txt", 400, 2130, 12),
  bio("crossner-liu2020/literature/test.txt", 416, 2266, 12),
  bio("crossner-liu2020/literature/train.txt", 100, 541, 12),
  bio("crossner-liu2020/music/dev.txt", 380, 2679, 13),
  bio("crossner-liu2020/music/test.txt", 465, 3336, 13),
  bio("crossner-liu2020/music/train.txt", 100, 648, 13),
  bio("crossner-liu2020/politics/dev.txt", 541, 3482, 9),
  bio("crossner-liu2020/politics/test.txt", 651, 4209, 9),
  bio("crossner-liu2020/politics/train.txt", 200, 1304, 9),
  bio("crossner-liu2020/science/dev.txt", 450, 2538, 17),
  bio("crossner-liu2020/science/test.txt", 543, 3089, 17),
  bio("crossner-liu2020/science/train.txt", 200, 1075, 17),
  io("few-nerd/inter/dev.txt", 18817, 34830, 13),
  io("few-nerd/raw-part/processed_data_1.txt", 1525, 4215, 50),
  io("few-nerd/raw-part/processed_data_2.txt", 1549, 4297, 55),
  io("few-nerd/raw-part/processed_data_3.txt", 2420, 6628, 57),
  io("few-nerd/raw-part/processed_data_4.txt", 2412, 6812, 55),
  bio("gum-3.1.0/test.conll", 1000, 3439, 11),
  bio("gum-3.1.0/train.conll", 2495, 8285, 11),
  bio("wnut17/dev.conll", 1009, 836, 6),
  bio("wnut17/test.annotated", 1287, 1079, 6),
  bio("wnut17/train.conll", 3394, 1975, 6),
  hou("1shot/SocialMedia", 5133, 4795, 6, 24),
  hou("1shot/Wiki", 5300, 18931, 11, 73),
  hou("5shot/SocialMedia", 3667, 5684, 6, 44),
  hou("5shot/Wiki", 3781, 15698, 11, 58),
];

const entityCount = (documents: readonly Document[]) =>
  documents.reduce((sum, { entities }) => sum + entities.length, 0);
const typesOf = (documents: readonly Document[]) =>
  new Set(documents.flatMap(({ entities }) => entities.map(({ type }) => type)));

describe.each(corpora)("$file", ({ file, format, sentences, entities, types, unopened = 0 }) => {
  const bytes = readCorpus(file);
  const read = parseDocuments(bytes);
  const { documents } = read;

  it("is recognised and read whole", () => {
    expect(read.format).toBe(format);
    expect(read.errors).toEqual([]);
    expect(documents).toHaveLength(sentences);
    expect(entityCount(documents)).toBe(entities);
    expect(typesOf(documents).size).toBe(types);
    expect(read.warnings.filter((warning) => warning.includes("continues no entity"))).toHaveLength(unopened);
    expect(read.warnings).toHaveLength(format === "hou-episodes" ? unopened + 1 : unopened); // + BERT's word pieces
  });

  it.each(FORMAT_NAMES)("to %s and back", (target) => {
    const renamed = target === "hou-episodes" && format !== "hou-episodes";
    const source = renamed
      ? documents.map((document, index) => ({ ...document, id: `All/0/support/${index}` }))
      : documents;
    const written = writeDocuments(source, target);
    const again = parseDocuments(written.text, target === format ? {} : { format: target });
    expect(again.errors).toEqual([]);
    if (target === "few-nerd-txt" && format !== "few-nerd-txt") {
      // IO tags cannot part neighbours of one type: each that merges is named, nothing else changes.
      const merged = written.warnings.filter((warning) => warning.includes("merges with"));
      expect(written.warnings).toHaveLength(merged.length);
      expect(entityCount(again.documents)).toBe(entities - merged.length);
      expect(again.documents.map(({ text }) => text)).toEqual(source.map(({ text }) => text));
      return;
    }
    expect(written.warnings).toEqual(target === "doccano" ? [expect.stringContaining("the corpus's own words")] : []);
    const inOrder = source.map(({ words, ...document }) => ({
      ...document,
      entities: document.entities.toSorted(compareEntities),
      ...(target !== "doccano" && { words }),
    }));
    expect(again.documents).toHaveLength(inOrder.length);
    for (const [index, document] of inOrder.entries()) {
      // Deep comparison takes minutes over all corpora; most pairs are the same text.
      if (JSON.stringify(again.documents[index]) !== JSON.stringify(document)) {
        expect(again.documents[index]).toEqual(document);
      }
    }
  });
});

it("Hou's episodes: as many, with as many query sentences, as counted", () => {
  const counts = (file: string) => {
    const { documents } = parseDocuments(readCorpus(`crossner-hou2020/${file}.json`));
    const query = documents.filter(({ id }) => id.includes("/batch/"));
    return [new Set(query.map(({ id }) => id.replace(/\/batch\/.*/, ""))).size, query.length];
  };
  expect(counts("1shot/Wiki")).toEqual([200, 4000]);
  expect(counts("1shot/SocialMedia")).toEqual([200, 4000]);
  expect(counts("5shot/Wiki")).toEqual([100, 1000]);
  expect(counts("5shot/SocialMedia")).toEqual([100, 1000]);
});

it("Few-NERD's raw part: 7,906 sentences, 64 types", () => {
  const documents = [1, 2, 3, 4].flatMap(
    (part) => parseDocuments(readCorpus(`few-nerd/raw-part/processed_data_${part}.txt`)).documents,
  );
  expect([documents.length, typesOf(documents).size]).toEqual([7906, 64]);
});
