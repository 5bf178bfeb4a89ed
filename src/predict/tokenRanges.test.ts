import { expect, test } from "vitest";
import { FAMILIES, fixtureTokenizer } from "../model/tokenizer/testTokenizers.ts";
import { parseResponse } from "../ner/parseResponse.ts";
import { tokenRanges } from "./tokenRanges.ts";

test.each(FAMILIES)("a span's tokens are its own and its closing mark's, %s", (family) => {
  const tokenizer = fixtureTokenizer(family);
  const response = "The entities I extracted for you are <<< São 😀 >>> <<< nowhere >>> <<< Oslo >>> .";
  const { ids } = tokenizer.encode(response);
  const text = tokenizer.decode(ids);
  const { spans, groups } = parseResponse(text, "Oslo, São 😀", []);
  expect(spans).toHaveLength(2);
  const ranges = tokenRanges((some) => tokenizer.decode(some), ids, groups);
  expect(ranges.map(([first, end]) => tokenizer.decode(ids.slice(first, end)).trim())).toEqual([
    "São 😀 >>>",
    "Oslo >>>",
  ]);
});

test("a token that holds both a mark and what lies beside it counts", () => {
  const pieces = ["<<", "< a", " >", ">> ", "<<<b>>>"];
  const decode = (ids: readonly number[]) => ids.map((id) => pieces[id] ?? "").join("");
  expect(tokenRanges(decode, [0, 1, 2, 3, 4], [[3, 8], [12, 16]])).toEqual([[1, 4], [4, 5]]); // prettier-ignore
});
