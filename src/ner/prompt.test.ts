import { describe, expect, it } from "vitest";
import { FAMILIES, fixtureTokenizer, readFixture } from "../model/tokenizer/testTokenizers.ts";
import type { Entity } from "./document.ts";
import { encodePrompt, promptPrefix, responseIds, responseText } from "./prompt.ts";

const person = { name: "person", definition: "names of people, real or fictional" };
const sentence = "Marta met Tom in Oslo.";
const entities: Entity[] = [
  { start: 10, end: 13, type: "person" },
  { start: 17, end: 21, type: "place" },
  { start: 0, end: 5, type: "person" },
];
const PROMPT = `Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.

### Instruction:
I want you to extract person entities from the following input sentence, the entity of person refers to names of people, real or fictional.

### Input:
Marta met Tom in Oslo.

### Response:
`;

describe("the text of a prompt", () => {
  const tokenizer = fixtureTokenizer("smollm");

  it("has the paper's words, and entities of the type in text order", () => {
    const { text } = encodePrompt(tokenizer, sentence, person, entities);
    expect(text).toBe(`${PROMPT}The entities I extracted for you are <<< Marta >>> <<< Tom >>> .`);
  });

  it("says so where there is no entity", () => {
    const { text } = encodePrompt(tokenizer, sentence, { ...person, name: "river" }, entities);
    expect(text.endsWith("\n### Response:\nThe entities I extracted for you are <<< >>> .")).toBe(true);
  });

  it("ends before the response where it is to be answered", () => {
    expect(encodePrompt(tokenizer, sentence, person, null).text).toBe(PROMPT);
  });

  it("begins the same for all sentences of a type", () => {
    expect(PROMPT.startsWith(promptPrefix(person))).toBe(true);
    expect(PROMPT.slice(promptPrefix(person).length)).toMatch(/^Marta/);
  });

  it("gives the places of the sentence and of the type's first mention", () => {
    const encoding = encodePrompt(tokenizer, sentence, person, entities);
    expect(encoding.text.slice(...encoding.sentence)).toBe(sentence);
    expect(encoding.text.slice(...encoding.typeMention)).toBe("person");
    expect(encoding.text.indexOf("person")).toBe(encoding.typeMention[0]);
  });
});

describe.each(FAMILIES)("the ids of a prompt: %s", (family) => {
  const tokenizer = fixtureTokenizer(family);

  it("are those of the whole text, with BOS where the tokenizer adds it and the end token", () => {
    const { ids, offsets, text } = encodePrompt(tokenizer, sentence, person, entities);
    const plain = tokenizer.encode(text);
    const bos = family === "smollm" ? [] : [tokenizer.bosTokenId];
    expect(ids).toEqual([...bos, ...plain.ids, tokenizer.eosTokenId]);
    expect(offsets.slice(bos.length, -1)).toEqual(plain.offsets);
    expect(offsets.at(-1)).toEqual([text.length, text.length]);
    expect(offsets).toHaveLength(ids.length);
  });

  it.each(readFixture(family).prompts)("are the reference's: $sentence", (prompt) => {
    const { sentence, name, definition, entities } = prompt;
    const gold = entities.map((text) => {
      const start = sentence.indexOf(text);
      return { start, end: start + text.length, type: name };
    });
    const { ids, responseStart, text } = encodePrompt(tokenizer, sentence, { name, definition }, gold);
    const bos = tokenizer.addBos ? 1 : 0;
    expect(text).toBe(prompt.text);
    expect(ids.slice(bos)).toEqual(prompt.ids);
    expect(responseStart - bos).toBe(prompt.responseStart);
  });

  it("split where the response begins", () => {
    const { ids, offsets, responseStart, text } = encodePrompt(tokenizer, sentence, person, entities);
    expect(offsets[responseStart]?.[0]).toBe(PROMPT.length);
    expect(tokenizer.decode(ids.slice(responseStart)).trimStart()).toBe(text.slice(PROMPT.length));
    expect(responseIds(tokenizer, text.slice(PROMPT.length))).toEqual(ids.slice(responseStart, -1));
  });

  it.each([
    "Marta met Tom in Oslo.",
    "",
    " ",
    "ends with a line break\n\n",
    "ends with punctuation !?…",
    "\n starts with one",
    "今天天气很好",
    "<<< >>> .",
    "👩‍👩‍👧‍👦",
    "\ud83d",
  ])("without response are those before any response of %j", (text) => {
    const asked = encodePrompt(tokenizer, text, person, null);
    expect(asked.ids).toHaveLength(asked.responseStart);
    expect(asked.offsets).toHaveLength(asked.responseStart);
    const spans = Array.from(text, (_, index) => ({ start: index, end: text.length, type: "person" }));
    for (const answer of [[], ...spans.map((span) => [span])]) {
      const { ids, responseStart } = encodePrompt(tokenizer, text, person, answer);
      expect(ids.slice(0, responseStart)).toEqual(asked.ids);
    }
  });
});

describe("a token that holds the seam of prompt and response", () => {
  // Joins the line break with the letter behind it, as no real tokenizer does.
  const tokenizer = {
    addBos: false,
    bosTokenId: null,
    eosTokenId: 0,
    encode: (text: string) => {
      const parts = Array.from(text.matchAll(/\nT|[^]/g), (match) => match[0]);
      let at = 0;
      return {
        ids: parts.map((part) => part.charCodeAt(0) * part.length),
        offsets: parts.map((part): [number, number] => [at, (at += part.length)]),
      };
    },
  };

  it("belongs to the response, with and without an answer", () => {
    const { ids, offsets, responseStart } = encodePrompt(tokenizer, sentence, person, entities);
    expect(offsets[responseStart]).toEqual([PROMPT.length - 1, PROMPT.length + 1]);
    expect(encodePrompt(tokenizer, sentence, person, null).ids).toEqual(ids.slice(0, responseStart));
    expect(responseIds(tokenizer, "The").at(0)).toBe(ids[responseStart]);
  });
});

describe("what cannot be asked", () => {
  const tokenizer = fixtureTokenizer("smollm");

  it.each([
    [{ name: "person", definition: "" }, 'expected a definition of the type "person", got an empty one'],
    [{ name: "person", definition: " \n" }, 'expected a definition of the type "person", got an empty one'],
    [{ name: "", definition: "x" }, "expected the name of an entity type, got an empty one"],
  ])("%j", (type, message) => {
    expect(() => encodePrompt(tokenizer, sentence, type, null)).toThrow(message);
  });

  it.each([
    [3, 3],
    [-1, 2],
    [20, 23],
    [4, 2],
    [0.5, 2],
  ])("an entity at %d–%d", (start, end) => {
    const wrong = [{ start, end, type: "person" }];
    expect(() => responseText(sentence, wrong)).toThrow(
      `expected an entity inside the sentence of 22 UTF-16 units, got ${start}–${end}`,
    );
  });
});
