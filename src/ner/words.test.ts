import { describe, expect, it } from "vitest";
import { segmentWords } from "./words.ts";

function wordsOf(text: string): string[] {
  return segmentWords({ text }).map(([start, end]) => text.slice(start, end));
}

describe("segmentWords", () => {
  it("takes the corpus's own tokens where they are known", () => {
    const words = [
      [0, 2],
      [2, 5],
    ] as const;
    expect(segmentWords({ text: "can't", words })).toBe(words);
  });

  it.each([
    ["", []],
    [" \n\t ", []],
    ["Marta met Tom.", ["Marta", "met", "Tom", "."]],
    ["  two   spaces\nand\ta tab ", ["two", "spaces", "and", "a", "tab"]],
    [
      "“Zoë’s Corner” (her favourite) costs $5.30!",
      ["“", "Zoë’s", "Corner", "”", "(", "her", "favourite", ")", "costs", "$", "5.30", "!"],
    ],
    ["... -- U.S. C++ x_y", [".", ".", ".", "-", "-", "U.S", ".", "C", "+", "+", "x_y"]],
    ["pro-Russian @home #tag", ["pro-Russian", "@", "home", "#", "tag"]],
  ])("splits %j at spaces and edge punctuation", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it.each([
    ["good👍🏽 👩‍👩‍👧‍👦! ❤️", ["good", "👍🏽", "👩‍👩‍👧‍👦", "!", "❤️"]],
    ["e\u0301te\u0301, n\u0303", ["e\u0301te\u0301", ",", "n\u0303"]],
  ])("never cuts a character with its marks: %j", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it("finds words in scripts without spaces", () => {
    // Where exactly is the ICU dictionary's affair.
    expect(wordsOf("今天天气很好。")).toEqual(expect.arrayContaining(["今天", "天气", "。"]));
    expect(wordsOf("東京都はGPTの首都です2020年")).toContain("GPT");
    expect(wordsOf("สวัสดีชาวโลก").length).toBeGreaterThan(1);
  });

  it("keeps scripts that run right to left, and those with spaces, whole", () => {
    expect(wordsOf("مرحبا بالعالم، كيف")).toEqual(["مرحبا", "بالعالم", "،", "كيف"]);
    expect(wordsOf("안녕하세요 세계")).toEqual(["안녕하세요", "세계"]);
  });

  it("covers every character that is no space, in order and without overlap", () => {
    for (const text of ["a\ud83d b", "「東京」、 x", "…a…b…", "\ufeffa\u200bb \u00a0c"]) {
      let last = 0;
      for (const [start, end] of segmentWords({ text })) {
        expect(text.slice(last, start)).toMatch(/^\s*$/);
        expect(end).toBeGreaterThan(start);
        last = end;
      }
      expect(text.slice(last)).toMatch(/^\s*$/);
    }
  });

  it("reads 50 kB at once", () => {
    expect(wordsOf("word, and (more) words. ".repeat(2_000))).toHaveLength(16_000);
  });
});
