import { describe, expect, it } from "vitest";
import { GgufError } from "./gguf/ggufError.ts";
import { Tokenizer } from "./tokenizer.ts";
import {
  bundledTokenizer,
  FAMILIES,
  fixtureTokenizer,
  readFixture,
  readGolden,
  type Family,
} from "./tokenizer/testTokenizers.ts";

/** Characters with bytes that the smollm fixture, like SmolLM2, has no token for. */
const unheld = ["\u0004", "\u0016", "\u001d", "\u{40000}"];

describe.each(FAMILIES)("%s", (family) => {
  const { cases } = readFixture(family);
  const tokenizer = fixtureTokenizer(family);
  const whole = cases.filter(
    ({ text }) => family !== "smollm" || !unheld.some((character) => text.includes(character)),
  );

  it.each(cases)("gives the ids of Rust tokenizers for $text", ({ text, ids }) => {
    expect(tokenizer.encode(text).ids).toEqual(ids);
  });

  it.each(whole)("gives offsets that cover $text, and its ids decode to it", ({ text }) => {
    const { ids, offsets } = tokenizer.encode(text);
    expectCover(text, offsets);
    expect(tokenizer.decode(ids)).toBe(family === "sentencepiece" ? text.replaceAll("▁", " ") : text);
  });

  it("reads a lone surrogate as U+FFFD that keeps its own place", () => {
    for (const text of ["\ud83d", "a\ud83d b", "\ude00\ud83d", "😀\ud83d😀"]) {
      const { ids, offsets } = tokenizer.encode(text);
      expect(ids).toEqual(tokenizer.encode(text.replace(/\p{Surrogate}/gu, "\ufffd")).ids);
      expectCover(text, offsets);
    }
  });

  it("gives the bytes of one character that character's range", () => {
    const text = "x🏳️‍🌈y";
    const { offsets } = tokenizer.encode(text);
    // U+1F3F3, U+FE0F, U+200D, U+1F308: two of them are surrogate pairs.
    const starts = new Set(offsets.map(([start]) => start));
    expect([...starts]).toEqual([0, 1, 3, 4, 5, 7].filter((start) => starts.has(start)));
    expect(offsets.every(([start, end]) => ![2, 6].includes(start) && ![2, 6].includes(end))).toBe(true);
  });

  it("never finds a special token in a text", () => {
    const special = family === "sentencepiece" ? [0, 1, 2] : [tokenizer.bosTokenId, tokenizer.eosTokenId];
    for (const name of special.map((id) => tokenizer.token(id ?? -1))) {
      const { ids } = tokenizer.encode(`${name} a${name}b ${name}`);
      expect(ids.filter((id) => special.includes(id))).toEqual([]);
    }
  });

  it("encodes 50 kB without quadratic time", () => {
    for (const unit of ["a", " ", "word and 12 "]) {
      const text = unit.repeat(50_000 / unit.length);
      const before = performance.now();
      expectCover(text, tokenizer.encode(text).offsets);
      // A second on an idle machine; quadratic time would be minutes.
      expect(performance.now() - before).toBeLessThan(10_000);
    }
  });
});

/** Tokens stand side by side or share a character, from the text's start to its end. */
function expectCover(text: string, offsets: [number, number][]): void {
  let [lastStart, lastEnd] = [0, 0];
  for (const [start, end] of offsets) {
    const isNext = start === lastEnd;
    const sharesCharacter = start >= lastStart && start < lastEnd && end >= lastEnd;
    if (!isNext && !sharesCharacter) expect.fail(`token at ${start}–${end} follows one at ${lastStart}–${lastEnd}`);
    [lastStart, lastEnd] = [start, end];
  }
  expect(lastEnd).toBe(text.length);
}

describe("the bundled model's tokenizer", () => {
  it("gives the ids of Rust tokenizers", async () => {
    const tokenizer = await bundledTokenizer();
    const goldens = readGolden("tokenizer.json") as { text: string; bundled: number[] }[];
    expect(goldens.length).toBeGreaterThan(40);
    for (const { text, bundled } of goldens)
      expect({ text, ids: tokenizer.encode(text).ids }).toEqual({ text, ids: bundled });
  });
});

describe("bytes without a token", () => {
  it("are dropped, and the tokens that are left keep their places", () => {
    const tokenizer = fixtureTokenizer("smollm");
    const { ids, offsets } = tokenizer.encode("a\u0004b \u{40000}x");
    expect(offsets.slice(0, 2)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(offsets.at(-1)).toEqual([6, 7]);
    expect(offsets.filter(([start, end]) => start === 4 && end === 6)).toHaveLength(3);
    expect(tokenizer.decode(ids)).toMatch(/^ab .*x$/);
  });
});

describe("SentencePiece's space before a text", () => {
  it("has no characters: the first token begins at 0", () => {
    const { ids, offsets } = fixtureTokenizer("sentencepiece").encode("The");
    expect([ids.length, offsets]).toEqual([1, [[0, 3]]]);
    expect(fixtureTokenizer("sentencepiece").encode("\n").offsets).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  it("is left out where the file says so", () => {
    const { metadata } = readFixture("sentencepiece");
    const tokenizer = Tokenizer.fromGguf({ metadata: metadata.set("tokenizer.ggml.add_space_prefix", false) });
    expect(tokenizer.encode("\n").ids).toEqual([3 + 10]);
    expect(tokenizer.decode(tokenizer.encode(" a").ids)).toBe(" a");
  });
});

describe("tokens for people", () => {
  it("shows text, names and bytes", () => {
    const tokenizer = fixtureTokenizer("smollm");
    expect(tokenizer.token(2)).toBe("<|im_end|>");
    expect(tokenizer.encode(" the").ids.map((id) => tokenizer.token(id))).toEqual([" the"]);
    expect(
      tokenizer
        .encode("四")
        .ids.map((id) => tokenizer.token(id))
        .join(""),
    ).toBe("<0xE5><0x9B><0x9B>");
    expect(() => tokenizer.token(703)).toThrow("expected a token id below 703, got 703");
  });

  it("leaves special tokens out of a decoded text", () => {
    const tokenizer = fixtureTokenizer("llama3");
    const { ids } = tokenizer.encode("\ufeffone");
    expect(tokenizer.decode([tokenizer.bosTokenId ?? -1, ...ids, tokenizer.eosTokenId])).toBe("\ufeffone");
  });
});

describe("BOS", () => {
  it.each([
    ["smollm", false],
    ["llama3", true],
    ["sentencepiece", true],
  ] as const)("%s: %s by default", (family, addBos) => {
    expect(fixtureTokenizer(family).addBos).toBe(addBos);
    expect(changed(family, "tokenizer.ggml.add_bos_token", !addBos).addBos).toBe(!addBos);
  });
});

describe("a tokenizer that cannot be used", () => {
  it.each([
    ["smollm", "tokenizer.ggml.model", "bert", 'expected tokenizer.ggml.model to be gpt2 or llama, got "bert"'],
    ["smollm", "tokenizer.ggml.model", undefined, "got nothing"],
    [
      "smollm",
      "tokenizer.ggml.pre",
      "qwen2",
      'expected tokenizer.ggml.pre to be one of smollm, llama-bpe, llama3, llama-v3, got "qwen2"',
    ],
    ["smollm", "tokenizer.ggml.pre", undefined, "got none"],
    [
      "smollm",
      "tokenizer.ggml.tokens",
      undefined,
      "expected tokenizer.ggml.tokens to be a list of strings, got nothing",
    ],
    ["smollm", "tokenizer.ggml.token_type", Int32Array.of(1), "expected tokenizer.ggml.token_type to be 703 numbers"],
    [
      "smollm",
      "tokenizer.ggml.merges",
      ["x yz"],
      'expected merge 0 of tokenizer.ggml.merges to join two tokens to a third, got "x yz"',
    ],
    ["smollm", "tokenizer.ggml.merges", ["nospace"], "expected merge 0"],
    ["smollm", "tokenizer.ggml.eos_token_id", undefined, "expected tokenizer.ggml.eos_token_id"],
    [
      "smollm",
      "tokenizer.ggml.eos_token_id",
      703,
      "expected tokenizer.ggml.eos_token_id to be below the vocabulary's size 703, got 703",
    ],
    ["llama3", "tokenizer.ggml.bos_token_id", undefined, "expected tokenizer.ggml.bos_token_id"],
    ["sentencepiece", "tokenizer.ggml.scores", undefined, "expected tokenizer.ggml.scores"],
  ] as const)("%s with %s = %s", (family, key, value, message) => {
    expect(() => changed(family, key, value)).toThrow(GgufError);
    expect(() => changed(family, key, value)).toThrow(message);
  });
});

it("is one without byte pieces, too", () => {
  const { metadata } = readFixture("sentencepiece");
  const types = metadata.get("tokenizer.ggml.token_type") as Int32Array;
  metadata.set("tokenizer.ggml.token_type", types.fill(3, 258, 259));
  expect(() => Tokenizer.fromGguf({ metadata })).toThrow(
    "expected a piece for each of the 256 bytes in a SentencePiece model, got none for <0xFF>",
  );
});

it("is one with an absurdly long piece, and that is said at once", () => {
  const { metadata } = readFixture("sentencepiece");
  const tokens = [...(metadata.get("tokenizer.ggml.tokens") as string[])];
  metadata.set("tokenizer.ggml.tokens", tokens.with(-1, "a".repeat(1 << 20)));
  expect(() => Tokenizer.fromGguf({ metadata })).toThrow("expected pieces of at most 256 UTF-16 units");
});

function changed(
  family: Family,
  key: string,
  value: string | number | boolean | Int32Array | readonly string[] | undefined,
): Tokenizer {
  const { metadata } = readFixture(family);
  if (value === undefined) metadata.delete(key);
  else metadata.set(key, value);
  return Tokenizer.fromGguf({ metadata });
}
