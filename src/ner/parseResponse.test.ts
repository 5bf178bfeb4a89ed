import { describe, expect, it } from "vitest";
import { parseResponse } from "./parseResponse.ts";
import { responseText } from "./prompt.ts";
import { segmentWords } from "./words.ts";

const sentence = "The party met Tom, art dealer, and Tom's cat in New York.";

function parse(response: string, text = sentence) {
  const { spans, hallucinated } = parseResponse(response, text, segmentWords({ text }));
  return { found: spans.map(([start, end]) => [start, text.slice(start, end)]), hallucinated };
}

describe("parseResponse", () => {
  it("reads what responseText writes", () => {
    const gold = [
      { start: 14, end: 17, type: "person" },
      { start: 48, end: 56, type: "person" },
    ];
    expect(parse(responseText(sentence, gold))).toEqual({ found: [[14, "Tom"], [48, "New York"]], hallucinated: [] }); // prettier-ignore
    expect(parse(responseText(sentence, []))).toEqual({ found: [], hallucinated: [] });
  });

  it("places a string at a run of words first, inside words only where there is none", () => {
    expect(parse("<<< art >>>").found).toEqual([[19, "art"]]);
    expect(parse("<<< part >>>").found).toEqual([[4, "part"]]);
    expect(parse("<<< Tom's >>> <<< Tom >>>").found).toEqual([[35, "Tom's"], [14, "Tom"]]); // prettier-ignore
  });

  it("takes the leftmost free place, and counts what has none as hallucinated", () => {
    const text = "a a a";
    expect(parse("<<< a a >>> <<< a >>> <<< a >>>", text)).toEqual({ found: [[0, "a a"], [4, "a"]], hallucinated: ["a"] }); // prettier-ignore
    expect(parse("<<< Rome >>> <<< New York City >>>").hallucinated).toEqual(["Rome", "New York City"]);
  });

  it("does not mind white space", () => {
    expect(parse("<<<New \n York>>>").found).toEqual([[48, "New York"]]);
    expect(parse("<<< New York >>>", "in New\u00a0\tYork").found).toEqual([[3, "New\u00a0\tYork"]]);
  });

  it("takes every sign as it is", () => {
    expect(parse("<<< C++ (a|b) >>> <<< 😀 >>>", "x😀 C++ (a|b) $").found).toEqual([[4, "C++ (a|b)"], [1, "😀"]]); // prettier-ignore
  });

  it.each(["", "no groups at all", "<<< Tom", "Tom >>> <<<", "<<<>>> <<< >>>"])("finds nothing in %j", (response) => {
    expect(parse(response)).toEqual({ found: [], hallucinated: [] });
  });
});
