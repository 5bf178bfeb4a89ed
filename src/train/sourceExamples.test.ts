import { describe, expect, test } from "vitest";
import { fixtureTokenizer, FAMILIES } from "../model/tokenizer/testTokenizers.ts";
import type { Document, EntityType } from "../ner/document.ts";
import { encodePrompt } from "../ner/prompt.ts";
import { randomDocument } from "../formats/testDocuments.ts";
import { buildExamples, type TrainExample } from "./examples.ts";
import { SourceExamples } from "./sourceExamples.ts";
import type { RecordPlace, SourceCorpus } from "./sourceIndex.ts";
import type { SourceOptions } from "./sourcePass.ts";

const tokenizer = fixtureTokenizer("smollm");
const typeNamed = (name: string): EntityType => ({ name, definition: `things called ${name}` });
const options: SourceOptions = { seed: 42, absentShare: 0.25, maxLength: 100_000, pooling: null };

/** Documents as the records of a file that has a line for each; counts how often one is read again. */
function corpusOf(name: string, documents: readonly Document[], { endsInTag = false } = {}) {
  const places = documents.map((_, i): RecordPlace => ({ start: 10 * i, length: 10, line: i + 1 }));
  const corpus: SourceCorpus & { reads: number } = {
    name,
    reads: 0,
    async *records() {
      for (const [i, document] of documents.entries()) {
        const mayBeCut = endsInTag && i === documents.length - 1;
        yield await Promise.resolve({ ...(places[i] as RecordPlace), document, mayBeCut });
      }
    },
    read({ start }) {
      this.reads++;
      return Promise.resolve(documents[start / 10] as Document);
    },
  };
  return corpus;
}

/** A sentence with one entity "name0" of each type. */
function sentence(id: string, ...types: readonly string[]): Document {
  let text = "";
  const entities = types.map((type) => {
    const start = text.length;
    text += `${type}0 `;
    return { start, end: text.length - 1, type };
  });
  return { id, text: `${text}is here.`, entities };
}

async function all(source: SourceExamples): Promise<TrainExample[]> {
  return Promise.all(Array.from({ length: source.length }, (_, i) => source.get(i)));
}

const names = async (source: SourceExamples) => (await all(source)).map(({ name }) => name);
const [a, b, c, d] = [typeNamed("ant"), typeNamed("bee"), typeNamed("cat"), typeNamed("dog")];
const open = (
  corpora: readonly SourceCorpus[],
  types: readonly EntityType[] = [a, b, c, d],
  changes: Partial<SourceOptions> = {},
) => SourceExamples.open(tokenizer, corpora, types, { ...options, ...changes });

describe("which types a sentence is asked for", () => {
  const zoo = corpusOf("zoo", [sentence("1", "ant", "bee"), sentence("2"), sentence("3", "dog", "cat")]);

  test("those it has, and with share 1 all that its corpus has, in the types' order", async () => {
    expect(await names(await open([zoo], undefined, { absentShare: 0 }))).toEqual([
      "zoo:1 / ant",
      "zoo:1 / bee",
      "zoo:3 / cat",
      "zoo:3 / dog",
    ]);
    const every = await open([zoo], undefined, { absentShare: 1 });
    expect(await names(every)).toEqual(
      [1, 2, 3].flatMap((line) => ["ant", "bee", "cat", "dog"].map((type) => `zoo:${line} / ${type}`)),
    );
    expect(every.facts).toMatchObject({ sentences: 3, present: 4, absent: 8, tooLong: 0 });
  });

  test("a share is rounded, and is one at least", async () => {
    const many = Array.from({ length: 20 }, (_, i) => typeNamed(`t${i}`));
    const corpus = corpusOf("c", [sentence("1", ...many.map(({ name }) => name)), sentence("2"), sentence("3", "t1")]);
    const counts = async (absentShare: number) => {
      const found = await names(await open([corpus], many, { absentShare }));
      return [2, 3].map((line) => found.filter((name) => name.startsWith(`c:${line} `)).length);
    };
    expect(await counts(0.25)).toEqual([5, 1 + 5]);
    expect(await counts(0.001)).toEqual([1, 1 + 1]);
    expect(await counts(0)).toEqual([0, 1]);
  });

  test("a type of another corpus of the mixture is not asked for: it may be there without a label", async () => {
    const source = await open(
      [corpusOf("x", [sentence("1", "ant"), sentence("2")]), corpusOf("y", [sentence("1", "bee"), sentence("2")])],
      undefined,
      {
        absentShare: 1,
      },
    );
    expect(await names(source)).toEqual(["x:1 / ant", "x:2 / ant", "y:1 / bee", "y:2 / bee"]);
  });

  test("the choice is the seed's, evenly among the types, and another in every sentence", async () => {
    const types = Array.from({ length: 8 }, (_, i) => typeNamed(`t${i}`));
    const corpus = corpusOf("c", [
      sentence("0", ...types.map(({ name }) => name)),
      ...Array.from({ length: 400 }, (_, i) => sentence(String(i))),
    ]);
    const of = async (seed: number) => (await names(await open([corpus], types, { seed }))).slice(8);
    const first = await of(1);
    expect(await of(1)).toEqual(first);
    expect(await of(2)).not.toEqual(first);
    for (const { name } of types) {
      const count = first.filter((prompt) => prompt.endsWith(` ${name}`)).length; // 2 of 8 in each of 400: 100 ± 9
      expect(Math.abs(count - 100)).toBeLessThan(40);
    }
  });

  test("entities of types without a definition are left out and counted", async () => {
    const source = await open([zoo], [a, d], { absentShare: 0 });
    expect(await names(source)).toEqual(["zoo:1 / ant", "zoo:3 / dog"]);
    expect([...source.facts.undefinedTypes]).toEqual([
      ["bee", 1],
      ["cat", 1],
    ]);
  });
});

/** Places name the prompts of files, ids those of documents. */
const unnamed = (example: TrainExample) => ({ ...example, name: "" });

test("an example is that of the same document in memory, with the rows of the contrastive loss where asked", async () => {
  const documents = Array.from({ length: 60 }, (_, seed) => randomDocument(seed)).filter(
    ({ entities }) => entities.length > 0,
  );
  const types = ["person", "place name", "art-film", "人"].map(typeNamed);
  for (const pooling of [null, "mean", "ancestor"] as const) {
    const source = await open([corpusOf("r", documents)], types, { absentShare: 1, pooling });
    const { examples } = buildExamples(tokenizer, documents, types, 1e9, pooling);
    const found = await all(source);
    expect(found.map(unnamed)).toEqual(examples.map(unnamed));
    expect(found.some(({ contrastive }) => (contrastive ?? null) !== null)).toBe(pooling !== null);
  }
});

describe("length", () => {
  test.each(FAMILIES)("no prompt has more tokens than its bound says: %s", async (family) => {
    const own = fixtureTokenizer(family);
    const types = ["person", "place name", "art-film", "人"].map(typeNamed);
    for (let seed = 0; seed < 150; seed++) {
      const document = randomDocument(seed);
      if (document.entities.length === 0) continue;
      const source = await SourceExamples.open(own, [corpusOf("r", [document])], types, { ...options, absentShare: 1 });
      const most = Math.max(...(await all(source)).map(({ ids }) => ids.length));
      expect(most).toBeLessThanOrEqual(source.longest);
    }
  });

  test("prompts over maxLength are left out exactly, the first of them named; the others are not encoded twice", async () => {
    const documents = [sentence("1", "ant"), sentence("2", "ant")];
    const long = { ...sentence("3", "ant"), text: `${sentence("3", "ant").text}${" very long".repeat(40)}` };
    const tokens = encodePrompt(tokenizer, long.text, a, long.entities).ids.length;
    const corpus = corpusOf("c", [...documents, long, long]);
    const cut = await open([corpus], undefined, { maxLength: tokens - 1 });
    expect(await names(cut)).toEqual(["c:1 / ant", "c:2 / ant"]);
    expect(cut.facts).toMatchObject({
      tooLong: 2,
      firstTooLong: [
        { name: "c:3 / ant", tokens },
        { name: "c:4 / ant", tokens },
      ],
    });
    expect(cut.longest).toBeLessThan(tokens);
    const whole = await open([corpusOf("c", [...documents, long])], undefined, { maxLength: tokens });
    expect(whole).toMatchObject({ length: 3, longest: tokens });
    const loose = corpusOf("c", documents);
    await open([loose]);
    expect(loose.reads).toBe(0);
  });
});

test("a sentence is read once for prompts that follow each other", async () => {
  const corpus = corpusOf("c", [sentence("1", "ant", "bee"), sentence("2", "cat", "dog")]);
  const source = await open([corpus], undefined, { absentShare: 1 });
  for (let i = 0; i < source.length; i++) await source.get(i);
  expect([source.length, corpus.reads]).toEqual([8, 2]);
});

describe("errors", () => {
  test.each<[string, readonly Document[], Partial<SourceOptions>, string]>([
    ["no entity at all", [sentence("1")], {}, "expected at least one prompt to learn from, got no entity (label some)"],
    [
      "only other types",
      [sentence("1", "elk", "fox")],
      {},
      "got only entities of other types: elk, fox (define those to learn)",
    ],
    [
      "only long prompts",
      [sentence("1", "ant")],
      { maxLength: 20 },
      "got only 1 of more than 20 tokens (raise maxLength,",
    ],
  ])("%s", async (_, documents, changes, message) => {
    await expect(open([corpusOf("c", documents)], undefined, changes)).rejects.toThrow(message);
  });

  test("a file that ends in a type that nothing else has may have been cut in it", async () => {
    const ends = (type: string) => ({ id: "2", text: "by ann", entities: [{ start: 3, end: 6, type }] });
    const cut = (type: string, earlier: string, endsInTag = true) =>
      open([corpusOf("c", [sentence("1", "ant", earlier), ends(type)], { endsInTag })]);
    await expect(cut("bird", "cat")).rejects.toThrow(
      'expected c to end with a whole sentence, got one that ends in the type "bird", which nothing else has, in the sentence from line 2 on',
    );
    await expect(cut("bird", "bird")).resolves.toBeDefined();
    await expect(cut("bird", "cat", false)).resolves.toBeDefined();
    await expect(cut("bee", "cat")).resolves.toBeDefined();
  });

  test("a sentence that has grown since it was first read, and a prompt that is not there", async () => {
    const document = sentence("1", "ant");
    const source = await open([corpusOf("c", [document])]);
    document.text += " and more".repeat(200);
    await expect(source.get(0)).rejects.toThrow(
      /^expected at most \d+ tokens in c:1 \/ ant, .* got \d+ \(was the file changed\?\)$/,
    );
    await expect(source.get(1)).rejects.toThrow("expected an index below 1, got 1");
  });
});
