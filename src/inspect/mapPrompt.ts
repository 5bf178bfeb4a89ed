/** A prompt with its response as an attention map shows them: token ids, readable tokens, which of them are entities. */
import type { Document, Entity, EntityType } from "../ner/document.ts";
import { parseResponse } from "../ner/parseResponse.ts";
import { CLOSE, encodePrompt, encodeResponse, promptText, type PromptTokenizer, responseText } from "../ner/prompt.ts";
import { segmentWords } from "../ner/words.ts";
import { rowsOver } from "../train/contrastiveRows.ts";

/** What is asked of a model's tokenizer. */
export interface MapTokenizer extends PromptTokenizer {
  /** A token for people to read (model/tokenizer.ts). */
  token(id: number): string;
}

export interface MapToken {
  /** As the text has it, spaces included; a character that is several tokens: "😀·1", "😀·2". */
  readonly text: string;
  /** `type`: the type's name in the instruction; `entity`: an entity in the sentence, or as the response names it. */
  readonly role: "plain" | "type" | "entity";
}

export interface MapPrompt {
  /** BOS where the tokenizer adds it, prompt, response, end token. */
  readonly ids: readonly number[];
  /** Index of the response's first token. */
  readonly responseStart: number;
  /** Of all ids. */
  readonly tokens: readonly MapToken[];
  readonly response: string;
  /** Token indices of the type's name in the instruction, and of each gold entity in the sentence. */
  readonly type: readonly number[];
  readonly entities: readonly (readonly number[])[];
  /** The same entities as ranges of the sentence. */
  readonly spans: readonly Entity[];
  /** Where the response names each: token indices, none where it does not. */
  readonly named: readonly (readonly number[])[];
}

export interface MapPromptOptions {
  /** Words of the corpus, where it has them. */
  readonly document: Pick<Document, "text" | "words">;
  readonly type: EntityType;
  /** Gold entities; those of other types take no part. null: those that the response names. */
  readonly gold: readonly Entity[] | null;
  /** null: the response that names the gold entities. */
  readonly response: string | null;
  /** Of the model, tokens. */
  readonly contextLength: number;
}

/** @throws Error where prompt and response do not fit the context, or an entity is not in the sentence */
export function mapPrompt(
  tokenizer: MapTokenizer,
  { document, type, gold, response: given, contextLength }: MapPromptOptions,
): MapPrompt {
  const own = gold?.filter((entity) => entity.type === type.name) ?? null;
  const response = given ?? responseText(document.text, own ?? []);
  const prompt = promptText(document.text, type);
  const { ids, offsets, responseStart } = encodeResponse(tokenizer, prompt, response);
  if (ids.length > contextLength) {
    throw new Error(
      `expected prompt and response within the model's context of ${contextLength} tokens, got ${ids.length} (shorten the sentence or the response)`,
    );
  }
  const { sentence, typeMention } = encodePrompt(tokenizer, document.text, type, null);
  const named = parseResponse(response, document.text, segmentWords(document));
  const spans = own?.map(({ start, end }) => [start, end] as const) ?? named.spans;
  const entities = spans.map(([start, end]) => {
    const rows = rowsOver(offsets, sentence[0] + start, sentence[0] + end);
    if (rows.length === 0 || sentence[0] + end > sentence[1]) {
      throw new Error(`expected an entity inside the sentence, got ${start}–${end} (correct its offsets)`);
    }
    return rows;
  });
  const typeRows = rowsOver(offsets, ...typeMention);
  const groups = named.groups.map(([start, end], i): NamedGroup => {
    const text = response.slice(start, end - CLOSE.trim().length);
    const first = prompt.length + start + text.length - text.trimStart().length;
    const place = named.spans[i] ?? [NaN, NaN];
    return { text: text.trim(), place, rows: rowsOver(offsets, first, first + text.trim().length) };
  });
  const inResponse = groups.flatMap(({ rows }) => rows);
  const [ofType, ofEntity] = [new Set(typeRows), new Set([...entities.flat(), ...inResponse])];
  const tokens = readable(tokenizer, ids, offsets, prompt + response).map((text, row): MapToken => {
    return { text, role: ofType.has(row) ? "type" : ofEntity.has(row) ? "entity" : "plain" };
  });
  const placed = spans.map(([start, end]) => ({ start, end, type: type.name }));
  return {
    ...{ ids, responseStart, tokens, response, type: typeRows, entities, spans: placed },
    named: rowsNaming(placed, groups, document.text),
  };
}

/** What a response says between `<<<` and `>>>`, where in the sentence that stands, and its tokens. */
interface NamedGroup {
  readonly text: string;
  readonly place: readonly [start: number, end: number];
  readonly rows: readonly number[];
}

/** A response has no places, only strings: one that is placed elsewhere is of an entity with its text, each of one. */
function rowsNaming(spans: readonly Entity[], groups: readonly NamedGroup[], sentence: string): (readonly number[])[] {
  const free = new Set(groups);
  const take = (fits: (group: NamedGroup) => boolean): NamedGroup | undefined => {
    const found = [...free].find(fits);
    if (found !== undefined) free.delete(found);
    return found;
  };
  const exact = spans.map(({ start, end }) => take(({ place }) => place[0] === start && place[1] === end));
  return spans.map(({ start, end }, i) => {
    const group = exact[i] ?? take(({ text }) => text === sentence.slice(start, end).trim());
    return group?.rows ?? [];
  });
}

/** The tokenizer spells out the bytes of a token that is no whole characters; here the character stands for them. */
function readable(
  tokenizer: MapTokenizer,
  ids: readonly number[],
  offsets: readonly (readonly [number, number])[],
  text: string,
): string[] {
  let part = 0;
  return ids.map((id, index) => {
    const [start, end] = offsets[index] ?? [0, 0];
    const token = tokenizer.token(id);
    // Also true of a token that is the text "<0x41>" itself, which then reads the same.
    if (!/^(<0x[0-9A-F]{2}>)+$/.test(token) || token === text.slice(start, end) || start === end) {
      part = 0;
      return token;
    }
    const before = offsets[index - 1];
    part = part > 0 && before !== undefined && before[1] > start ? part + 1 : 1;
    return `${text.slice(start, end)}·${part}`;
  });
}
