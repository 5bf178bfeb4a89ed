import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, expect, test } from "vitest";
import type { EntityType } from "../ner/document.ts";
import { PRESETS } from "../train/presets.ts";
import { openWithTokenizer } from "./loadModel.ts";
import { openSource } from "./sourceCorpus.ts";

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
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const path = file("large.jsonl", "");
  const text = (i: number) =>
    `Ann ${i} met the crew of the Lark at the pier of Vigo${", and it rained and rained".repeat(8)}.`;
  for (let part = 0; part < 60; part++) {
    let lines = "";
    for (let i = 0; lines.length < 1e6; i++) {
      lines += `${JSON.stringify({ id: part * 1e5 + i, text: text(i), entities: [{ start: 0, end: 3, type: "person" }] })}\n`;
    }
    appendFileSync(path, lines);
  }
  const inUse = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 2 ** 20;
  };
  const before = inUse();
  let [most, next] = [0, 0];
  const said = heard((done) => {
    if (done < next) return;
    next = done + 1e7;
    most = Math.max(most, inUse());
  });
  const { examples, close } = await openSource(model, [path], types, config, reading, said);
  expect(examples.length).toBeGreaterThan(150_000);
  for (let i = 0; i < 200; i++) await examples.get((i * 7919) % examples.length);
  most = Math.max(most, inUse());
  await close();
  expect(most - before).toBeLessThan(30);
});
