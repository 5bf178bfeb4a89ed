import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseDocuments } from "../formats/formats.ts";
import { folderOf, smollm2Tokenizer } from "../model/tokenizer/testTokenizers.ts";
import type { Document } from "./document.ts";
import { parseResponse } from "./parseResponse.ts";
import { encodePrompt } from "./prompt.ts";
import { SpanAutomaton } from "./spanAutomaton.ts";
import { segmentWords } from "./words.ts";

const corpora = [
  ["CrossNER music", "crossner-liu2020/music/train.txt", 100],
  ["CrossNER music, test", "crossner-liu2020/music/test.txt", 300],
  ["WNUT-17", "wnut17/train.conll", 500],
] as const;

function readCorpus(path: string, count: number): Document[] {
  const { documents } = parseDocuments(readFileSync(folderOf("OBP_DATA_DIR", path)), { format: "conll-bio" });
  return documents.filter((document) => document.entities.length > 0).slice(0, count);
}

describe("SmolLM2 on real corpora", async () => {
  const tokenizer = await smollm2Tokenizer();

  it.each(corpora)("%s: every gold response is a path that gives its entities", (_, path, count) => {
    const documents = readCorpus(path, count);
    expect(documents.length).toBeGreaterThan(90);
    let moved = 0;
    let spans = 0;
    for (const { text, words, entities, ...document } of documents) {
      const first = new SpanAutomaton({ tokenizer, sentence: text, words: words ?? [] });
      for (const name of new Set([...entities.map(({ type }) => type), "nothing"])) {
        const automaton = first.another();
        const type = { name, definition: "anything" };
        const { ids, responseStart } = encodePrompt(tokenizer, text, type, entities);
        const asked = encodePrompt(tokenizer, text, type, null);
        expect(ids.slice(0, responseStart), document.id).toEqual(asked.ids);
        const response = ids.slice(responseStart);
        for (const id of response) automaton.advance(id);
        expect(automaton.done, document.id).toBe(true);
        const gold = entities.filter((entity) => entity.type === name);
        const found = automaton.entities();
        expect(
          found.map(({ start, end }) => text.slice(start, end)),
          document.id,
        ).toEqual(gold.map(({ start, end }) => text.slice(start, end)));
        for (const { start, end, firstToken, endToken } of found) {
          expect(tokenizer.decode(response.slice(firstToken, endToken))).toBe(` ${text.slice(start, end)} >>>`);
        }
        const parsed = parseResponse(tokenizer.decode(response), text, words ?? []);
        expect(parsed.spans).toEqual(found.map(({ start, end }) => [start, end]));
        expect(parsed.hallucinated).toEqual([]);
        spans += gold.length;
        moved += gold.filter(({ start }, index) => start !== found[index]?.start).length;
      }
    }
    // Only a string that stands more than once in a sentence may be placed elsewhere than its annotator did.
    expect(spans).toBeGreaterThan(documents.length);
    expect(moved / spans).toBeLessThan(0.05);
  });

  it.each(corpora)("%s: words found in the bare text reach nearly every entity", (_, path, count) => {
    let reached = 0;
    let total = 0;
    for (const { text, entities } of readCorpus(path, count)) {
      const words = segmentWords({ text });
      const starts = new Set(words.map(([start]) => start));
      const ends = new Set(words.map(([, end]) => end));
      total += entities.length;
      reached += entities.filter(({ start, end }) => starts.has(start) && ends.has(end)).length;
    }
    expect(reached / total).toBeGreaterThan(0.99);
  });
});
