import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { houEpisodes } from "./houEpisodes.ts";

const sample = readFileSync(new URL("samples/hou-episodes.json", import.meta.url), "utf8");
const part = (seq_ins: unknown, seq_outs: unknown) => ({ seq_ins, seq_outs });
const errorsOf = (support: unknown) =>
  houEpisodes.parse(JSON.stringify({ Kitchen: [{ support, batch: part([["a"]], [["O"]]) }] })).errors;

describe("reading", () => {
  it("names sentences by domain, episode, part and number", () => {
    const { documents, warnings, errors } = houEpisodes.parse(sample);
    expect([warnings, errors]).toEqual([[], []]);
    expect(documents.map(({ id, text }) => [id, text])).toEqual([
      ["Kitchen/0/support/0", "grind the blue poppy seeds"],
      ["Kitchen/0/support/1", "call chef amara"],
      ["Kitchen/0/batch/0", "amara salted the rye dough"],
      ["Kitchen/1/support/0", "juno boiled figs"],
      ["Kitchen/1/batch/0", "nothing left"],
    ]);
    expect(documents[0]?.entities).toEqual([{ start: 10, end: 26, type: "ingredient" }]);
  });

  it("says which fields it does not keep, and where I- starts an entity", () => {
    const support = { ...part([["a", "b"]], [["O", "I-x"]]), word_piece_marks: [[0, 0]] };
    const text = JSON.stringify({ Kitchen: [{ support, batch: part([], []) }] });
    expect(houEpisodes.parse(text).warnings).toEqual([
      'Kitchen/0/support/0: I-x of word 1 ("b") continues no entity, so it starts one (as conlleval reads it)',
      "fields that are not kept (made from the words): word_piece_marks",
    ]);
  });
});

describe("broken files", () => {
  it.each([
    [part([["a", "b"]], [["O"]]), "Kitchen/0/support/0: expected one tag a word, got 1 tags for 2 words"],
    [part([["a"]], []), "Kitchen/0/support: expected as many seq_outs as seq_ins, got 0 and 1"],
    [part([["a"]], [["x"]]), 'Kitchen/0/support/0: expected O, B-TYPE or I-TYPE in seq_outs, got "x"'],
    [part([["a"]], [[1]]), "expected string at Kitchen.0.support.seq_outs.0.0, got 1"],
    [{ seq_ins: [] }, "expected a field at Kitchen.0.support.seq_outs, got none"],
  ])("%j", (support, message) => {
    expect(errorsOf(support)).toEqual([message]);
  });

  it("a truncated file", () => {
    expect(houEpisodes.parse(sample.slice(0, 200)).errors).toEqual([
      expect.stringMatching(/^expected one JSON object, got text that is not JSON/),
    ]);
  });
});

describe("writing", () => {
  it("gives the sample back", () => {
    const { text, warnings } = houEpisodes.write(houEpisodes.parse(sample).documents);
    expect(JSON.parse(text)).toEqual(JSON.parse(sample));
    expect(warnings).toEqual([]);
  });

  it.each(["1", "Kitchen/7/support/0", "Kitchen/0/support/3", "Kitchen/0/query/0"])("refuses the id %s", (id) => {
    expect(() => houEpisodes.write([{ id, text: "a", entities: [] }])).toThrow(`got "${id}"`);
  });
});
