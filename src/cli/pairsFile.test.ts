import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fixtureTokenizer } from "../model/tokenizer/testTokenizers.ts";
import { readPairs, readPreferences } from "./pairsFile.ts";
import { CommandFolder } from "./testCommand.ts";

const pair = { prompt: "Q: ", chosen: "yes", rejected: "no" };
const lines = (...values: readonly object[]) => values.map((value) => JSON.stringify(value)).join("\n");

/** Reads pairs.jsonl with this content. */
function preferencesIn(content: string) {
  using folder = new CommandFolder({ "pairs.jsonl": content });
  return readPreferences(join(folder.path, "pairs.jsonl"));
}

describe("readPreferences", () => {
  test("reads the texts as they are, with the line's name and kind", () => {
    const odd = { prompt: "", chosen: " a\nb", rejected: "", kind: "shift-left", id: "d1", type: "x", extra: [1] };
    const [first, second, ...more] = preferencesIn(`\n${lines(pair)}\r\n  \n${lines(odd)}`);
    expect(more).toEqual([]);
    const { name = "", ...texts } = first ?? {};
    expect(name).toMatch(/^line 2 of .*pairs\.jsonl$/);
    expect(texts).toEqual({ ...pair, kind: "feedback" });
    expect(second).toMatchObject({ prompt: "", chosen: " a\nb", rejected: "", kind: "shift-left" });
    expect(second?.name).toMatch(/^line 4 of /);
  });

  test.each<[string, string, RegExp]>([
    ["an empty file", "", /expected pairs \{"prompt","chosen","rejected"\} in .*, got none/],
    ["blank lines only", "\n \n", /in .*pairs\.jsonl, got none/],
    ["a line that is no JSON", `${lines(pair)}\n{"prompt":`, /expected a JSON object on line 2 of .*, got /],
    ["a list", "[1]", /expected a JSON object on line 1 of .*, got \[1\]/],
    ["null", "null", /expected a JSON object on line 1 of .*, got null/],
    [
      "a missing column",
      lines({ prompt: "a", chosen: "b" }),
      /the texts "prompt", "chosen" and "rejected" on line 1 .* \(it has no "rejected"\)/,
    ],
    ["pairs for scores", lines({ prompt: "a", completion: "b" }), /\(it has no "chosen"\)/],
    ["no prompt", lines({ chosen: "a b", rejected: "a c" }), /\(it has no "prompt"\)/],
    ["a number", lines({ ...pair, chosen: 3 }), /on line 1 of .*, got 3 as "chosen"/],
    [
      "messages",
      lines(pair, { ...pair, rejected: [{ role: "assistant", content: "no" }] }),
      /on line 2 of .* as "rejected" \(plain texts, not lists of messages\)/,
    ],
    [
      "a rejected response like the chosen one",
      lines(pair, { ...pair, rejected: "yes" }),
      /a rejected response other than the chosen one on line 2 of .*, got "yes" twice/,
    ],
    ["both shapes in one line", lines({ ...pair, completion: "yes" }), /on line 1 of .*, got both/],
    [
      "an unknown kind",
      lines({ ...pair, kind: "shift-lef" }),
      /a known "kind" on line 1 of .*, got "shift-lef" \(did you mean shift-left\?\)/,
    ],
    ["a kind that is no text", lines({ ...pair, kind: null }), /a known "kind" on line 1 of .*, got null \(known: /],
  ])("refuses %s", (_, content, message) => {
    expect(() => preferencesIn(content)).toThrow(message);
  });
});

describe("readPairs", () => {
  const tokenizer = fixtureTokenizer("smollm");

  test("encodes prompt and completion as one text, and names each line", () => {
    using folder = new CommandFolder({ p: lines({ prompt: "Salt is an", completion: " ingredient" }) });
    const path = join(folder.path, "p");
    const [example] = readPairs(path, tokenizer, 100);
    const whole = tokenizer.encode("Salt is an ingredient").ids;
    expect(example?.ids).toEqual([...whole, tokenizer.eosTokenId]);
    expect(tokenizer.decode(whole.slice(0, example?.responseStart))).toBe("Salt is an");
    expect(example?.name).toBe(`line 1 of ${path}`);
    writeFileSync(path, lines({ prompt: "a", completion: "b", chosen: "c" }));
    expect(() => readPairs(path, tokenizer, 100)).toThrow(/on line 1 of .*, got both/);
    writeFileSync(path, lines(pair));
    expect(() => readPairs(path, tokenizer, 100)).toThrow(/"prompt" and "completion" .* \(it has no "completion"\)/);
  });
});
