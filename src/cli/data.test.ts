import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CommandFolder } from "./testCommand.ts";

const doccano = '{"id":7,"text":"Ana 🐙 met Bo","label":[[0,3,"person"],[10,12,"person"]]}\n';
const broken = `${doccano}{"id":8,"text":"Bo","label":[[0,5,"person"]]}\n{"id":9\n`;

describe("obp data convert", () => {
  it("finds the format by content, whatever the name, and writes our own", () => {
    using folder = new CommandFolder({ "notes.txt": doccano });
    const run = folder.obp("data", "convert", "notes.txt", "out.jsonl", "--json");
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(run.json()).toEqual({
      from: "doccano",
      to: "obp-jsonl",
      documents: 1,
      entities: 2,
      warnings: [],
      out: "out.jsonl",
    });
    expect(readFileSync(join(folder.path, "out.jsonl"), "utf8")).toBe(
      '{"id":"7","text":"Ana 🐙 met Bo","entities":[{"start":0,"end":3,"type":"person"},{"start":10,"end":12,"type":"person"}]}\n',
    );
  });

  it("converts offsets, and says what is lost", () => {
    using folder = new CommandFolder({ a: doccano });
    const run = folder.obp("data", "convert", "a", "b", "--to", "few-nerd-txt", "--no-comments");
    expect(run.stdout).toContain('document "7": its id is not kept');
    folder.obp("data", "convert", "a", "c", "--to", "doccano", "--out-offsets", "utf16");
    expect(readFileSync(join(folder.path, "c"), "utf8")).toContain('[11,13,"person"]');
    expect(folder.obp("data", "convert", "c", "d", "--offsets", "utf16", "--to", "doccano").code).toBe(0);
    expect(readFileSync(join(folder.path, "d"), "utf8")).toBe(doccano);
  });

  it("writes nothing where a line is broken, and names the first", () => {
    using folder = new CommandFolder({ a: broken });
    const run = folder.obp("data", "convert", "a", "b");
    expect([run.code, run.stdout]).toEqual([1, ""]);
    expect(run.stderr).toBe(
      'error: expected sound documents in a, got line 2: document "8": entity 0 (0–5, person) lies outside the text, which is 2 code points long (and 1 more: obp data check lists them)\n',
    );
    expect(existsSync(join(folder.path, "b"))).toBe(false);
  });

  it.each([
    [["data", "convert", "a"], 2, /^error: expected OUT, got none/],
    [["data", "convert", "a", "b", "--to", "conll"], 2, /^error: expected --to .*, got conll/],
    [["data", "convert", "none", "b"], 1, /^error: expected a file or folder at none, got nothing there/],
    [
      ["data", "convert", "prose", "b"],
      1,
      /expected one of the formats obp-jsonl, conll-bio, .* got a file that starts with "Once/,
    ],
    [["data", "convert", "a", "b/"], 1, /^error: expected a file name to write to, got the folder b\//],
    [["data", "convert", "a", "a/b"], 1, /^error: expected a folder on the way to a\/b, got a file/],
    [["data", "convert", "a", ""], 2, /^error: expected OUT, got an empty text/],
    [["data", "convert", "a", "b", "--to", "hou-episodes"], 1, /^error: expected ids such as Wiki\/3\/support\/0/],
  ])("%j", (words, code, message) => {
    using folder = new CommandFolder({ a: doccano, prose: "Once there was a port.\n" });
    const run = folder.obp(...words);
    expect(run.code).toBe(code);
    expect(run.stderr).toMatch(message);
    expect(run.stderr.trimEnd()).not.toContain("\n");
  });
});

describe("obp data check", () => {
  it("counts documents, entities and types", () => {
    using folder = new CommandFolder({ a: doccano });
    const run = folder.obp("data", "check", "a", "--json");
    expect(run.code).toBe(0);
    expect(run.json()).toEqual({
      format: "doccano",
      documents: 1,
      entities: 2,
      types: { person: 2 },
      warnings: [],
      errors: [],
    });
  });

  it("lists every broken line, and fails", () => {
    using folder = new CommandFolder({ a: broken });
    const run = folder.obp("data", "check", "a", "--json");
    expect(run.code).toBe(1);
    expect(run.json()["errors"]).toEqual([expect.stringMatching(/^line 2: /), expect.stringMatching(/^line 3: /)]);
    expect(run.stderr).toMatch(/^error: expected sound documents in a, got line 2: .* \(and 1 more\)\n$/);
  });
});
