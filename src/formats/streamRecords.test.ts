import { describe, expect, test } from "vitest";
import { FormatError } from "./format.ts";
import { recordKind, type RecordKind, RecordSplitter } from "./streamRecords.ts";

const utf8 = new TextDecoder();

/** Records of a file given in pieces of so many bytes, as [text, line, unterminated]. */
function split(kind: RecordKind, text: string, pieceBytes: number): [string, number, boolean][] {
  const file = new TextEncoder().encode(text);
  const splitter = new RecordSplitter(kind);
  const records: [string, number, boolean][] = [];
  const add = (found: ReturnType<RecordSplitter["end"]>): void => {
    for (const { start, bytes, line, unterminated } of found) {
      expect(bytes).toEqual(file.subarray(start, start + bytes.length));
      records.push([utf8.decode(bytes), line, unterminated]);
    }
  };
  for (let offset = 0; offset < file.length; offset += pieceBytes) {
    add(splitter.push(file.slice(offset, offset + pieceBytes)));
  }
  add(splitter.end());
  return records;
}

const LINES = '{"a":1}\n\n \t\r\n{"b":"é界🚢"}\r\n{"c":3}';
const BLOCKS =
  "\n# id = 1\nOslo\tB-place\nis\tO\n\n \t\n-DOCSTART-\tO\n\nLima\tB-place\r\n\r\n界\tO\n-DOCSTART-\tO\nend\tO\n";

describe.each([1, 2, 3, 7, 20, 1000])("pieces of %i bytes", (pieceBytes) => {
  test("every line that is not blank is a record", () => {
    expect(split("lines", LINES, pieceBytes)).toEqual([
      ['{"a":1}', 1, false],
      ['{"b":"é界🚢"}\r', 4, false],
      ['{"c":3}', 5, true],
    ]);
  });

  test("lines between blank ones are a record, and a section's heading begins one", () => {
    expect(split("blocks", BLOCKS, pieceBytes)).toEqual([
      ["# id = 1\nOslo\tB-place\nis\tO\n", 2, false],
      ["-DOCSTART-\tO\n", 7, false],
      ["Lima\tB-place\r\n", 9, false],
      ["界\tO\n", 11, false],
      ["-DOCSTART-\tO\nend\tO\n", 12, false],
    ]);
  });
});

test.each<[RecordKind, string, boolean[]]>([
  ["blocks", "a\tO\n", [false]],
  ["blocks", "a\tO\nb\tO", [true]],
  ["blocks", "a\tO\nb\tO\n  ", [false]],
  ["blocks", "", []],
  ["blocks", " \n\n", []],
  ["lines", "{}\n ", [false]],
  ["lines", "{}\n{", [false, true]],
  ["lines", "{", [true]],
])("%s of %j: whether the file ends in a line: %j", (kind, text, unterminated) => {
  expect(split(kind, text, 3).map(([, , flag]) => flag)).toEqual(unterminated);
});

test("a file without an end of a record is refused before it fills the memory", () => {
  const splitter = new RecordSplitter("blocks");
  const piece = new TextEncoder().encode("word\tO\n".repeat(150_000));
  const push = (): void => {
    for (let i = 0; i < 6; i++) expect([...splitter.push(piece)]).toEqual([]);
  };
  expect(push).toThrow(FormatError);
  expect(push).toThrow(/^line 1: expected a sentence of at most 4 MB/);
});

test("a format of one value a file cannot be read in pieces", () => {
  expect([recordKind("doccano"), recordKind("few-nerd-txt")]).toEqual(["lines", "blocks"]);
  expect(() => recordKind("hou-episodes")).toThrow(
    /^expected a format that is read line by line \(obp-jsonl, doccano, conll-bio, few-nerd-txt\), got hou-episodes/,
  );
});
