/** obp pairs on the real command and a real model of one layer, with a trained adapter. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeOneLayerModel } from "./oneLayerModel.ts";
import { readPreferences } from "./pairsFile.ts";
import { CommandFolder } from "./testCommand.ts";

const sample = (name: string) => fileURLToPath(new URL(`../../public/samples/${name}`, import.meta.url));
const labelled = readFileSync(sample("train.jsonl"), "utf8").split("\n").slice(0, 5).join("\n");
const salty = { entities: [{ start: 0, end: 4, type: "ingredient" }] };
const endless = JSON.stringify({ id: "endless", text: "salt pepper ".repeat(200).trim(), ...salty });

const folder = new CommandFolder({
  "train.jsonl": `${labelled}\n`,
  "long.jsonl": `${endless}\n${labelled}\n`,
  "salt.jsonl": `${JSON.stringify({ id: "salt", text: "salt", ...salty })}\n`,
  "refused.jsonl": `${JSON.stringify({
    ...{ id: "refused", text: "🧂 Melt butter, then salt", entities: [{ start: 7, end: 13, type: "ingredient" }] },
    rejected: [
      { start: 2, end: 13, type: "ingredient" },
      { start: 7, end: 13, type: "ingredient" }, // gold after all
      { start: 2, end: 6, type: "quantity" },
    ],
  })}\n`,
  "types.json": JSON.stringify({ ingredient: "foods that go into a dish", quantity: "amounts of a food" }),
});
const given = ["--model", "one.gguf", "--types", "types.json"] as const;
const pairs = ["pairs", ...given, "--adapter", "adapter", "--out", "pairs.jsonl", "--json", "--in"] as const;
const run = (...words: readonly string[]) => folder.start(...words).outcome;

interface PairLine {
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  readonly kind: string;
  readonly id: string;
  readonly type: string;
}
interface DocumentLine {
  readonly id: string;
  readonly text: string;
  readonly entities: readonly { readonly start: number; readonly end: number; readonly type: string }[];
}
interface MadeReport {
  readonly boundary: number;
  readonly feedback: number;
  readonly dropped: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly droppedBy: Readonly<Record<string, number>>;
  readonly documents: number;
  readonly leftOut: readonly { readonly name: string; readonly tokens: number }[];
  readonly unanswered: MadeReport["leftOut"];
  readonly adapter?: string;
}
const linesOf = <T>(name: string): T[] =>
  folder
    .read(name)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
const countKind = (kind: string) => linesOf<PairLine>("pairs.jsonl").filter((line) => line.kind === kind).length;

beforeAll(async () => {
  await writeOneLayerModel(join(folder.path, "one.gguf"), 300);
  const rates = ["--learning-rate", "0.01", "--warmup-ratio", "0", "--accumulation", "1", "--max-steps", "3"];
  const trained = await run(
    "train",
    ...given,
    "--stage",
    "sft",
    "--train",
    "train.jsonl",
    ...rates,
    "--out",
    "adapter",
  );
  expect([trained.code, trained.stderr.includes("error")]).toEqual([0, false]);
});
afterAll(() => folder[Symbol.dispose]());

describe("obp pairs", () => {
  test("writes boundary pairs, and one of feedback for each wrong answer of the model", async () => {
    const made = await run(...pairs, "long.jsonl");
    expect([made.code, made.stdout.trimEnd().includes("\n")]).toEqual([0, false]);
    const lines = linesOf<PairLine>("pairs.jsonl");
    const report = made.json() as unknown as MadeReport;
    const { boundary, feedback, dropped, droppedBy, byKind, leftOut, unanswered, adapter } = report;
    expect(lines.map((line) => Object.keys(line).join())).toEqual(
      lines.map(() => "prompt,chosen,rejected,kind,id,type"),
    );
    expect([boundary, feedback]).toEqual([lines.length - countKind("feedback"), countKind("feedback")]);
    expect(boundary).toBeGreaterThan(10);
    expect(byKind).toEqual({
      ...{ "shift-left": countKind("shift-left"), "shift-right": countKind("shift-right") },
      ...{ "expand-both": countKind("expand-both"), feedback },
    });
    expect(Object.values(droppedBy).reduce((sum, count) => sum + count, 0)).toBe(dropped);
    expect(adapter).toMatch(/\S/);

    // A sentence over the context has no pairs, and is named.
    expect(leftOut.map(({ name }) => name)).toEqual(["endless / ingredient"]);
    expect(unanswered.map(({ name }) => name)).toEqual(["endless / ingredient", "endless / quantity"]);
    for (const { tokens } of [...leftOut, ...unanswered]) {
      expect(tokens).toBeGreaterThan(300);
    }
    expect(made.stderr).toContain("left out: endless / ingredient: ");
    expect(made.stderr).toContain("no feedback: endless / quantity: ");
    expect(lines.filter(({ id }) => id === "endless")).toEqual([]);

    // The answers are those of obp predict.
    const answered = ["--adapter", "adapter", "--in", "train.jsonl", "--out", "predicted.jsonl"];
    expect((await run("predict", ...given, ...answered)).code).toBe(0);
    const gold = responses(linesOf("train.jsonl"));
    const wrong = responses(linesOf("predicted.jsonl")).filter((response) => !gold.includes(response));
    expect(wrong.length).toBeGreaterThan(2);
    const keys = (some: readonly PairLine[]) => some.map(({ id, type, rejected }) => `${id} ${type} ${rejected}`);
    const refused = keys(lines.filter(({ kind }) => kind === "feedback"));
    expect(refused.filter((key) => !wrong.includes(key))).toEqual([]);
    expect(wrong.filter((key) => !keys(lines).includes(key))).toEqual([]); // one may repeat a boundary edit
    expect(gold).toEqual(expect.arrayContaining(lines.map(({ id, type, chosen }) => `${id} ${type} ${chosen}`)));
    const read = readPreferences(join(folder.path, "pairs.jsonl"));
    expect(read.map(({ prompt, kind }) => ({ prompt, kind }))).toEqual(
      lines.map(({ prompt, kind }) => ({ prompt, kind })),
    );
  });

  test("makes the kinds asked for; without feedback no GPU is opened", async () => {
    const made = await run(...pairs, "train.jsonl", "--kinds", "shrink-left,expand-left", "--limit", "3");
    const { boundary, feedback, documents, byKind, ...more } = made.json() as unknown as MadeReport;
    expect(made.code).toBe(0);
    expect([feedback, documents, "adapter" in more]).toEqual([0, 3, false]);
    expect(byKind).toEqual({ "expand-left": countKind("expand-left"), "shrink-left": countKind("shrink-left") });
    expect(boundary).toBe(linesOf("pairs.jsonl").length);
    expect(countKind("shrink-left")).toBeGreaterThan(0);
  });

  test("what annotators refused is feedback, whatever the model answers", async () => {
    const made = await run(...pairs, "refused.jsonl", "--kinds", "shift-left,feedback");
    const { boundary, feedback } = made.json() as unknown as MadeReport;
    const refused = ["<<< Melt butter >>> .", "<<< Melt >>> ."].map(
      (spans) => `The entities I extracted for you are ${spans}`,
    );
    const lines = linesOf<PairLine>("pairs.jsonl").filter(({ kind }) => kind === "feedback");
    expect(lines.slice(0, 2).map(({ type, rejected }) => [type, rejected])).toEqual([
      ["ingredient", refused[0]],
      ["quantity", refused[1]],
    ]);
    expect([made.code, boundary, feedback]).toEqual([0, countKind("shift-left"), lines.length]);

    await run(...pairs, "refused.jsonl", "--kinds", "shift-left");
    expect(linesOf<PairLine>("pairs.jsonl").map(({ kind }) => kind)).toEqual(["shift-left"]);
  });

  test("a slip in --kinds, or no adapter, is a usage error", async () => {
    const slip = await run(...pairs, "train.jsonl", "--kinds", "shift-left,shift-rigth");
    expect([slip.code, slip.stdout]).toEqual([2, ""]);
    expect(slip.stderr).toMatch(/^error: expected --kinds of .*, got "shift-rigth" \(did you mean shift-right\?\)\n$/);
    const bare = await run("pairs", ...given, "--in", "train.jsonl", "--out", "x");
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringMatching(/^error: expected --adapter FOLDER, got none/)]);
  });

  test("no pair is an error that says why, and leaves an earlier file as it was", async () => {
    const earlier = folder.read("pairs.jsonl");
    const none = await run(...pairs, "salt.jsonl", "--kinds", "shift-left,expand-both,shrink-right");
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toMatch(
      /error: expected at least one pair, got none: 2 leave the sentence, 1 empty the span \(.*\)\n$/,
    );
    expect(folder.read("pairs.jsonl")).toBe(earlier);
    expect(folder.list().filter((name) => name.includes("tmp"))).toEqual([]);
  });
});

/** "id type response" of every document and type. */
function responses(documents: readonly DocumentLine[]): string[] {
  return documents.flatMap(({ id, text, entities }) =>
    ["ingredient", "quantity"].map((type) => {
      const own = entities.filter((entity) => entity.type === type);
      const spans = own.map(({ start, end }) => `<<< ${text.slice(start, end)} >>>`);
      return `${id} ${type} The entities I extracted for you are ${spans.length === 0 ? "<<< >>>" : spans.join(" ")} .`;
    }),
  );
}
