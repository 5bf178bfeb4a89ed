// Few-shot episodes as Hou et al. (ACL 2020) released them for CrossNER: {"Wiki": [{"support": {"seq_ins": [[word…]…],
// "seq_outs": [[tag…]…]}, "batch": {…}}…]}. As documents, each sentence is one, named "Wiki/3/support/0": domain, episode,
// part and sentence, from 0. `batch` holds the query sentences.
import * as v from "valibot";
import { readingError, type Document } from "../ner/document.ts";
import { checkDocument, FormatError, type Format, type ParseResult, type WriteResult } from "./format.ts";
import { describeIssue } from "./jsonLines.ts";
import { lostFields } from "./losses.ts";
import { entitiesOfSpans, joinedRanges } from "./taggedDocuments.ts";
import { isPrefixedTag, prefixedTags, spansOfPrefixedTags } from "./tags.ts";
import { tagWords } from "./taggedWords.ts";

const PARTS = ["support", "batch"] as const;
type Part = (typeof PARTS)[number];

const sequences = v.array(v.array(v.string()));
const partSchema = v.looseObject({ seq_ins: sequences, seq_outs: sequences });
const fileSchema = v.record(v.string(), v.array(v.strictObject({ support: partSchema, batch: partSchema })));
type FilePart = Pick<v.InferOutput<typeof partSchema>, "seq_ins" | "seq_outs">;

function detect(text: string): boolean {
  return /^\s*\{/.test(text) && /"seq_ins"\s*:/.test(text.slice(0, 10_000));
}

function parse(text: string): ParseResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unreadable";
    return { documents: [], warnings: [], errors: [`expected one JSON object, got text that is not JSON (${reason})`] };
  }
  const file = v.safeParse(fileSchema, value);
  if (!file.success) return { documents: [], warnings: [], errors: file.issues.map(describeIssue) };
  const result: ParseResult = { documents: [], warnings: [], errors: [] };
  const lostKeys = new Set<string>();
  for (const [domain, episodes] of Object.entries(file.output)) {
    for (const [index, episode] of episodes.entries()) {
      for (const part of PARTS) {
        const { seq_ins, seq_outs, ...others } = episode[part];
        Object.keys(others).forEach((key) => lostKeys.add(key));
        readPart(`${domain}/${index}/${part}`, { seq_ins, seq_outs }, result);
      }
    }
  }
  if (lostKeys.size > 0)
    result.warnings.push(`fields that are not kept (made from the words): ${[...lostKeys].join(", ")}`);
  return result;
}

function readPart(where: string, { seq_ins, seq_outs }: FilePart, { documents, warnings, errors }: ParseResult): void {
  if (seq_ins.length !== seq_outs.length) {
    errors.push(`${where}: expected as many seq_outs as seq_ins, got ${seq_outs.length} and ${seq_ins.length}`);
    return;
  }
  for (const [index, words] of seq_ins.entries()) {
    const id = `${where}/${index}`;
    const tags = seq_outs[index] ?? [];
    const badTag = tags.find((tag) => !isPrefixedTag(tag));
    if (words.length !== tags.length) {
      errors.push(`${id}: expected one tag a word, got ${tags.length} tags for ${words.length} words`);
    } else if (badTag !== undefined) {
      errors.push(`${id}: expected O, B-TYPE or I-TYPE in seq_outs, got ${JSON.stringify(badTag)}`);
    } else {
      const { spans, unopened } = spansOfPrefixedTags(tags);
      for (const word of unopened) {
        const what = `${tags[word]} of word ${word} (${JSON.stringify(words[word])})`;
        warnings.push(`${id}: ${what} continues no entity, so it starts one (as conlleval reads it)`);
      }
      const ranges = joinedRanges(words);
      const document = { id, text: words.join(" "), entities: entitiesOfSpans(spans, ranges), words: ranges };
      const problem = readingError(document);
      if (problem === null) documents.push(document);
      else errors.push(problem);
    }
  }
}

/** Documents must bear the ids that reading gives them, in order within each part of an episode. */
function write(documents: readonly Document[]): WriteResult {
  const warnings: string[] = [];
  const domains = new Map<string, Record<Part, FilePart>[]>();
  for (const document of documents) {
    checkDocument(document);
    const { id, text } = document;
    const tagged = tagWords(document);
    warnings.push(...tagged.warnings);
    if (text !== tagged.words.join(" ")) {
      warnings.push(`document "${id}": its white space is not kept (words are joined by one space)`);
    }
    const part = placeOf(id, domains);
    part.seq_ins.push([...tagged.words]);
    part.seq_outs.push(prefixedTags(tagged.words.length, tagged.spans));
  }
  warnings.push(...lostFields(documents, ["probability", "rejected", "hallucinated", "extra"]));
  return { text: `${JSON.stringify(Object.fromEntries(domains))}\n`, warnings };
}

/** The part of an episode that a document goes to, made where it is the next. @throws FormatError */
function placeOf(id: string, domains: Map<string, Record<Part, FilePart>[]>): FilePart {
  const match = /^(.+)\/(\d+)\/(support|batch)\/(\d+)$/.exec(id);
  if (match === null) {
    throw new FormatError(
      `expected ids such as Wiki/3/support/0 to make episodes of, got "${id}" (episodes are sampled, not converted)`,
    );
  }
  const [, domain = "", episode, part, sentence] = match;
  const episodes = domains.get(domain) ?? [];
  domains.set(domain, episodes);
  if (Number(episode) === episodes.length) {
    episodes.push({ support: { seq_ins: [], seq_outs: [] }, batch: { seq_ins: [], seq_outs: [] } });
  }
  const place = episodes[Number(episode)]?.[part === "support" ? "support" : "batch"];
  if (place?.seq_ins.length !== Number(sentence)) {
    throw new FormatError(`expected episodes and their sentences in order and without gaps, got "${id}" out of turn`);
  }
  return place;
}

export const houEpisodes = { name: "hou-episodes", detect, parse, write } as const satisfies Format;
