import { describe, expect, test } from "vitest";
import { FAMILIES, fixtureTokenizer } from "../model/tokenizer/testTokenizers.ts";
import { encodePrompt } from "../ner/prompt.ts";
import { mapPrompt, type MapPromptOptions } from "./mapPrompt.ts";

const type = { name: "person", definition: "names of people" };
const text = "Marta met Tom 😀 in Oslo, not Tom.";
const gold = [
  { start: 0, end: 5, type: "person" },
  { start: 10, end: 13, type: "person" },
  { start: 20, end: 24, type: "place" },
];
const asked: MapPromptOptions = { document: { text }, type, gold, response: null, contextLength: 4000 };

describe.each(FAMILIES)("%s", (family) => {
  const tokenizer = fixtureTokenizer(family);
  const of = (options: Partial<MapPromptOptions>) => mapPrompt(tokenizer, { ...asked, ...options });
  /** The text of tokens one after the other. */
  const spelled = (prompt: ReturnType<typeof of>, rows: readonly number[]): string =>
    tokenizer.decode(rows.map((row) => prompt.ids[row] ?? NaN)).trim();

  test("the gold response: the ids are those of training", () => {
    const prompt = of({});
    const { ids, responseStart } = encodePrompt(tokenizer, text, type, gold);
    expect([prompt.ids, prompt.responseStart]).toEqual([ids, responseStart]);
    expect(prompt.tokens.length).toBe(ids.length);
    expect(spelled(prompt, prompt.type)).toBe("person");
    expect(prompt.entities.map((rows) => spelled(prompt, rows))).toEqual(["Marta", "Tom"]);
  });

  test("roles: the type's first mention, gold entities in the sentence, what the response names", () => {
    const prompt = of({});
    const rows = prompt.tokens.flatMap(({ role }, row) => (role === "entity" ? [row] : []));
    const inResponse = rows.filter((row) => row >= prompt.responseStart);
    expect(rows.filter((row) => row < prompt.responseStart)).toEqual(prompt.entities.flat());
    expect(spelled(prompt, inResponse).replaceAll(" ", "")).toBe("MartaTom");
    expect(prompt.tokens.flatMap(({ role }, row) => (role === "type" ? [row] : []))).toEqual(prompt.type);
  });

  test("a given response names the entities where no gold is given", () => {
    const response = "The entities I extracted for you are <<< Tom >>> <<< Tom >>> <<< Bob >>> .";
    const prompt = of({ gold: null, response });
    expect(prompt.response).toBe(response);
    expect(prompt.entities.map((rows) => spelled(prompt, rows))).toEqual(["Tom", "Tom"]);
    expect(prompt.spans.map(({ start }) => start)).toEqual([10, text.lastIndexOf("Tom")]);
    expect(new Set(prompt.entities.flat()).size).toBe(prompt.entities.flat().length);
    expect(of({ response }).entities.map((rows) => spelled(prompt, rows))).toEqual(["Marta", "Tom"]);
  });

  test("each entity has the tokens of the response that name it, wherever they would be placed", () => {
    const named = (options: Partial<MapPromptOptions>): string[] => {
      const prompt = of(options);
      expect(prompt.named.flat().every((row) => row >= prompt.responseStart)).toBe(true);
      return prompt.named.map((rows) => spelled(prompt, rows));
    };
    expect(named({})).toEqual(["Marta", "Tom"]);
    const second = text.lastIndexOf("Tom");
    expect(named({ gold: [{ start: second, end: second + 3, type: "person" }] })).toEqual(["Tom"]);
    const both = [second, 10].map((start) => ({ start, end: start + 3, type: "person" }));
    const prompt = of({ gold: both });
    // In the order of the entities, which is not the response's.
    expect(prompt.named[0]?.[0]).toBeGreaterThan(prompt.named[1]?.[0] ?? NaN);
    expect(named({ response: "<<< Tom >>> ." })).toEqual(["", "Tom"]);
    expect(named({ gold: [{ start: 0, end: 9, type: "person" }, ...gold.slice(0, 1)] })).toEqual(["Marta met", ""]);
  });

  test("no entity, and a response that is no answer at all", () => {
    expect(of({ gold: [] }).entities).toEqual([]);
    const prompt = of({ gold: null, response: "I do not know" });
    expect([prompt.entities, prompt.tokens.at(-2)?.text.trim()]).toEqual([[], prompt.tokens.at(-2)?.text.trim()]);
  });

  test("tokens that are bytes of a character show the character", () => {
    const texts = of({}).tokens.map(({ text: token }) => token);
    expect(texts.filter((token) => token.includes("<0x"))).toEqual([]);
    const parts = texts.filter((token) => token.includes("😀"));
    expect(parts.length).toBeGreaterThan(0);
    if (parts.length > 1) {
      expect(parts.map((token) => token.trim())).toEqual(parts.map((_, i) => `😀·${i + 1}`));
    }
  });

  test("what does not fit the context, and entities outside the sentence, are refused", () => {
    const { length } = of({}).ids;
    expect(() => of({ contextLength: length - 1 })).toThrow(
      `expected prompt and response within the model's context of ${length - 1} tokens, got ${length}`,
    );
    const outside = [{ start: 30, end: 40, type: "person" }];
    expect(() => of({ gold: outside })).toThrow("expected an entity inside the sentence");
  });
});
