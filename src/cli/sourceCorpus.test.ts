import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import type { EntityType } from "../ner/document.ts";
import { PRESETS } from "../train/presets.ts";
import { streamDocuments } from "./bundleDocuments.ts";
import { openWithTokenizer } from "./loadModel.ts";
import { openSource } from "./sourceCorpus.ts";
import { LiveMemory, writeLargeCorpus } from "./testLargeCorpus.ts";

const folder = mkdtempSync(join(tmpdir(), "obp-source-"));
afterAll(() => rmSync(folder, { recursive: true }));

const types: EntityType[] = [
  { name: "person", definition: "names of people, real or fictional" },
  { name: "place", definition: "names of places" },
];
const reading = { format: undefined, offsets: "code-points" } as const;
const model = await openWithTokenizer(fileURLToPath(new URL("../../public/models/obp-mini.gguf", import.meta.url)));
const config = PRESETS.source.paper;

/** What the command says and shows, kept. */
function heard(onProgress: (done: number) => void = () => undefined) {
  const notes: string[] = [];
  const totals: number[] = [];
  return {
    notes,
    totals,
    signal: new AbortController().signal,
    note: (line: string) => void notes.push(line),
    progress: (_: string, total: number) => {
      totals.push(total);
      return { update: onProgress, finish: () => undefined };
    },
  };
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test("a mixture of formats, each found by its content", async () => {
  const lines = file(
    "a.jsonl",
    '{"text":"Ann left.","entities":[{"start":0,"end":3,"type":"person"}]}\n{"text":"Rain.","entities":[]}\n',
  );
  const blocks = file("b.txt", "Lima\tB-place\nslept\tO\n\nEly\tB-town\nand\tO\nBo\tB-person\n");
  const said = heard();
  const { examples, close } = await openSource(model, [lines, blocks], types, config, reading, said);
  const names = await Promise.all(
    Array.from({ length: examples.length }, async (_, i) => (await examples.get(i)).name),
  );
  expect(names).toEqual([
    `${lines}:1 / person`,
    `${lines}:2 / person`,
    `${blocks}:1 / person`,
    `${blocks}:1 / place`,
    `${blocks}:4 / person`,
    `${blocks}:4 / place`,
  ]);
  expect(said.notes).toEqual([
    "6 prompts of 4 sentences: 3 for a type that is there, 3 for one that is not",
    "left out: entities of types without a definition: town (1)",
  ]);
  await close();
  await expect(examples.get(0).then(() => examples.get(5))).resolves.toBeDefined(); // read before
});

test("prompts over the model's context are left out by name, over maxLength too", async () => {
  const long = JSON.stringify({ text: `Ann ${"x y ".repeat(5000)}`, entities: [{ start: 0, end: 3, type: "person" }] });
  const path = file(
    "long.jsonl",
    `{"text":"Bo.","entities":[{"start":0,"end":2,"type":"person"}]}\n${`${long}\n`.repeat(12)}`,
  );
  const said = heard();
  const { examples, close } = await openSource(model, [path], types, { ...config, maxLength: 1e6 }, reading, said);
  await close();
  const limit = model.config.contextLength;
  expect([examples.length, examples.longest <= limit]).toEqual([1, true]);
  expect(said.notes[1]).toMatch(new RegExp(`^left out: .*long.jsonl:2 / person: \\d+ tokens, more than ${limit}$`));
  expect(said.notes.at(-1)).toBe(`left out: 2 more prompts over ${limit} tokens`);
});

test.each([
  ["a missing file", join(folder, "none"), /expected a file or folder at .*none, got nothing/],
  [
    "a file cut short",
    file("cut.jsonl", '{"text":"a","entities":[]}\n{"text":"b","en'),
    /cut.jsonl to end with a whole sentence, got one cut short: line 2/,
  ],
  ["a folder", folder, /expected a file at/],
])("%s is refused", async (_, path, message) => {
  await expect(openSource(model, [path], types, config, reading, heard())).rejects.toThrow(message);
});

test("memory does not grow with the corpus: a file of 60 MB", async () => {
  const path = file("large.jsonl", "");
  writeLargeCorpus(path, 60);
  const live = new LiveMemory();
  const said = heard((done) => live.watch(done));
  const { examples, close } = await openSource(model, [path], types, config, reading, said);
  expect(examples.length).toBeGreaterThan(150_000);
  for (let i = 0; i < 200; i++) await examples.get((i * 7919) % examples.length);
  const growth = live.growth();
  await close();
  expect(growth).toBeLessThan(30);
});

test("nor does it while obp bundle copies one, and each record has an id of its own", async () => {
  const path = file(
    "copied.jsonl",
    '{"text":"Bo.","entities":[{"start":0,"end":2,"type":"pet"}]}\n\n{"text":"Rain."}\n',
  );
  writeLargeCorpus(path, 30);
  const out = join(folder, "bundle", "train.jsonl");
  const live = new LiveMemory();
  const said = heard((done) => live.watch(done));
  const written = await streamDocuments(path, out, reading, types, said);
  expect(live.growth()).toBeLessThan(15);
  expect([existsSync(out), said.totals]).toEqual([false, [statSync(path).size]]);
  written.commit();
  const lines = readFileSync(out, "utf8").split("\n");
  expect(lines.slice(0, 2).map((line) => JSON.parse(line) as unknown)).toEqual([
    { id: "1", text: "Bo.", entities: [{ start: 0, end: 2, type: "pet" }] },
    { id: "3", text: "Rain.", entities: [] },
  ]);
  expect(new Set(lines).size).toBe(readFileSync(path, "utf8").split("\n").length - 1); // without the blank line
  expect(said.notes.at(-1)).toBe("note: entities of types that are not among the given types are left out: pet (1)");
});

test("a corpus cut short leaves no bundle behind", async () => {
  const path = file("half.jsonl", '{"text":"a","entities":[]}\n{"text":"b","en');
  const out = join(folder, "none", "train.jsonl");
  await expect(streamDocuments(path, out, reading, types, heard())).rejects.toThrow(/got one cut short: line 2/);
  expect(readdirSync(join(folder, "none"))).toEqual([]);
});
