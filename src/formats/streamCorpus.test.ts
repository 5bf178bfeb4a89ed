import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Document } from "../ner/document.ts";
import { type FormatName, parseDocuments, writeDocuments } from "./formats.ts";
import { type CorpusBytes, type CorpusOptions, type CorpusRecord, StreamedCorpus } from "./streamCorpus.ts";
import { randomDocument } from "./testDocuments.ts";

/** A file in memory that is read by ranges. */
function corpusBytes(content: string | Uint8Array, name = "c.txt"): CorpusBytes {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const read = (offset: number, length: number) => Promise.resolve(bytes.slice(offset, offset + length));
  return { name, size: bytes.length, read };
}

const open = (content: string | Uint8Array, options: Partial<CorpusOptions> = {}) =>
  StreamedCorpus.open(corpusBytes(content), { offsets: "code-points", ...options });

async function all(corpus: StreamedCorpus): Promise<CorpusRecord[]> {
  const records: CorpusRecord[] = [];
  for await (const record of corpus.records()) records.push(record);
  return records;
}

const bare = ({ text, entities, words }: Document) => ({ text, entities, words });
const STREAMED = ["obp-jsonl", "doccano", "conll-bio", "few-nerd-txt"] as const satisfies FormatName[];

describe.each(STREAMED)("%s", (format) => {
  // Types that few-nerd-txt can hold, and texts that all formats keep.
  const documents = Array.from({ length: 200 }, (_, seed) => randomDocument(seed)).filter(({ text }) => text.trim());
  const file = writeDocuments(documents, format).text;

  test("gives what reading the whole file gives, and each record again", async () => {
    const whole = parseDocuments(file, { format });
    expect(whole.errors).toEqual([]);
    const corpus = await open(file, { format });
    const records = await all(corpus);
    expect(records.map(({ document }) => bare(document))).toEqual(whole.documents.map(bare));
    for (const record of records.toReversed()) {
      expect(await corpus.read(record)).toEqual(record.document);
    }
    const lines = file.split("\n");
    for (const { line, document } of records) {
      if (format === "obp-jsonl") expect(lines[line - 1]).toContain(JSON.stringify(document.id));
    }
  });

  test("is found by the beginning of the file", async () => {
    const suffix = format.startsWith("conll") || format.startsWith("few") ? "txt" : "jsonl";
    const sample = readFileSync(new URL(`./samples/${format}.${suffix}`, import.meta.url));
    expect((await open(sample)).format).toBe(format);
  });
});

test("a format may be told, and another one is refused", async () => {
  const one = '{"id":"a","text":"b"}\n';
  expect((await open(one, { format: "obp-jsonl" })).format).toBe("obp-jsonl");
  await expect(open('{"Kitchen":[{"support":{"seq_ins":[]}}]}')).rejects.toThrow(
    /^expected to read c.txt, got: expected a format that is read line by line .*, got hou-episodes/,
  );
  await expect(open("")).rejects.toThrow(/^expected to read c.txt, got: expected documents, got an empty file/);
  await expect(open(new Uint8Array([0xff, 0xfe, 0x41, 0]))).rejects.toThrow(
    /c.txt, got: expected UTF-8 text, got UTF-16/,
  );
});

test("a byte-order mark, and a file of megabytes with characters over the pieces' edges", async () => {
  const line = `${JSON.stringify({ id: 1, text: "界🚢".repeat(50), entities: [{ start: 0, end: 2, type: "x" }] })}\n`;
  const corpus = await open(`\ufeff${line.repeat(12_000)}`);
  expect(corpus.size).toBeGreaterThan(4 << 20);
  let count = 0;
  for await (const { document } of corpus.records()) {
    if (document.text !== "界🚢".repeat(50)) throw new Error(`got ${document.text}`);
    count++;
  }
  expect(count).toBe(12_000);
});

describe("what is not sound is named by file and line", () => {
  test.each<[string, string, RegExp]>([
    [
      "a broken line",
      '{"id":1,"text":"a","entities":[]}\n\n{"id":2,"text":\n{"id":3}\n',
      /^expected sound documents in c.txt, got line 3: expected one JSON object/,
    ],
    [
      "an entity outside",
      '{"text":"a","entities":[]}\n{"text":"b","entities":[{"start":0,"end":9,"type":"x"}]}\n',
      /got line 2: .*lies outside/,
    ],
    [
      "a tag",
      "a\tO\n\nb\tB-x\nc\tO\n\nd\tO\ne\tQ-x\n",
      /^expected sound documents in c.txt, got line 7: expected O, B-TYPE/,
    ],
    [
      "a file that ends in its last line's JSON",
      '{"text":"a","entities":[]}\n{"text":"b","enti',
      /^expected c.txt to end with a whole sentence, got one cut short: line 2: .*copied completely\?\)$/,
    ],
    ["a file that ends in a word", "a\tO\nb\tB-x\n\nc\tO\nd", /cut short: line 5: expected a word, a tab/],
    ["a file that ends in a tag", "a\tO\nb\tB-x\n\nc\tO\nd\tB-", /cut short: line 5: expected O, B-TYPE .* got "B-"/],
  ])("%s", async (_, content, message) => {
    await expect(open(content).then(all)).rejects.toThrow(message);
  });

  test("a file that ends in half a character", async () => {
    const bytes = new TextEncoder().encode('{"text":"a","entities":[]}\n{"text":"界');
    await expect(open(bytes.slice(0, -1)).then(all)).rejects.toThrow(/cut short: line 2: expected UTF-8 text/);
  });

  test("bytes of another encoding further on", async () => {
    const bytes = new TextEncoder().encode(
      '{"text":"a","entities":[]}\n'.repeat(50_000) + '{"text":"?","entities":[]}\n',
    );
    bytes[bytes.indexOf(0x3f)] = 0xe9; // é in Latin-1
    await expect(open(bytes).then(all)).rejects.toThrow(/got line 50001: expected UTF-8 text/);
  });

  test("a file that changed meanwhile", async () => {
    const corpus = await open('{"text":"a","entities":[]}\n');
    await expect(corpus.read({ start: 3, length: 10, line: 1 })).rejects.toThrow(
      /^expected sound documents in c.txt, got line 1/,
    );
  });
});

test("whether the last tag may go on: only where the file ends in it", async () => {
  const flags = async (content: string) => (await all(await open(content))).map(({ mayBeCut }) => mayBeCut);
  expect(await flags("a\tO\nb\tB-x\n\nd\tB-y")).toEqual([false, true]);
  expect(await flags("a\tO\nb\tB-x\n\nd\tB-y\n")).toEqual([false, false]);
  expect(await flags('{"text":"a","entities":[]}\n{"text":"b","entities":[]}')).toEqual([false, false]);
});

test("warnings: each once, by line, the first few of many", async () => {
  const columns = await open("a\tX\tO\nb\tX\tB-x\n\n".repeat(30));
  await all(columns);
  expect(columns.warnings).toEqual([
    "column 2 is not kept (of 3: the word is read from the first, the tag from the last)",
  ]);
  const unlabelled = await open('{"id":1,"text":"a","entities":[]}\n' + '{"id":2,"text":"b"}\n'.repeat(25));
  for (let pass = 0; pass < 2; pass++) await all(unlabelled); // those of the last scan only
  expect(unlabelled.warnings).toHaveLength(11);
  expect(unlabelled.warnings[0]).toMatch(/^line 2: no field "entities"/);
  expect(unlabelled.warnings.at(-1)).toBe("and 15 more");
});

test("an aborted scan ends before the next piece; the hash sees every byte in order", async () => {
  const corpus = await open('{"text":"a","entities":[]}\n'.repeat(100_000));
  const pieces: Uint8Array[] = [];
  let last = 0;
  for await (const { line } of corpus.records({ onBytes: (bytes) => pieces.push(bytes.slice()) })) last = line;
  expect(last).toBe(100_000);
  expect(pieces.length).toBeGreaterThan(1);
  expect(Buffer.concat(pieces).toString()).toBe('{"text":"a","entities":[]}\n'.repeat(100_000));
  const scan = async () => {
    let count = 0;
    const abort = new AbortController();
    for await (const record of corpus.records({ signal: abort.signal })) {
      if (record.line === 10) abort.abort(new Error("stopped"));
      count++;
    }
    return count;
  };
  await expect(scan()).rejects.toThrow("stopped");
});
