/**
 * The method's prompt: one per sentence and type of entity (OBP-LLM, section 3.1 and Fig. 3; method.md, Prompt).
 *
 *     The entities I extracted for you are <<< Oslo >>> <<< Lima >>> .⏹     two entities
 *     The entities I extracted for you are <<< >>> .⏹                       none
 *
 * One space before every `<<<`, entity, `>>>` and the last full stop, none after it; ⏹ is the end token. The response is
 * put together from HEAD, OPEN, " " + entity, CLOSE and END, which are also all that the span automaton knows of it.
 */
import { compareEntities, type Entity, type EntityType } from "./document.ts";

/** What is asked of a model's tokenizer. */
export interface PromptTokenizer {
  /** Without BOS or end token. `offsets` are [start, end) in UTF-16 units of the text. */
  encode(text: string): { ids: number[]; offsets: [number, number][] };
  readonly bosTokenId: number | null;
  readonly eosTokenId: number;
  readonly addBos: boolean;
}

/** Without a response (a prompt to be answered) `ids` and `offsets` end where it would begin. */
export interface PromptEncoding extends EncodedResponse {
  text: string;
  /** Range of the sentence in `text`. */
  sentence: [number, number];
  /** Range of the type's name where the instruction first mentions it. */
  typeMention: [number, number];
}

const HEADER =
  "Below is an instruction that describes a task, paired with an input that provides further context. " +
  "Write a response that appropriately completes the request.\n\n### Instruction:\nI want you to extract ";
const BEFORE_RESPONSE = "\n\n### Response:\n";
export const HEAD = "The entities I extracted for you are";
export const OPEN = " <<<";
export const CLOSE = " >>>";
export const END = " .";

/** Everything before the sentence: the same for all sentences of a type. */
export function promptPrefix({ name, definition }: EntityType): string {
  if (name.trim() === "") throw new Error("expected the name of an entity type, got an empty one");
  if (definition.trim() === "") {
    throw new Error(
      `expected a definition of the type "${name}", got an empty one (say in a few words what ${name} entities are)`,
    );
  }
  return (
    `${HEADER}${name} entities from the following input sentence, the entity of ${name} refers to ${definition}.` +
    "\n\n### Input:\n"
  );
}

/** Everything before the response. */
export function promptText(sentence: string, type: EntityType): string {
  return promptPrefix(type) + sentence + BEFORE_RESPONSE;
}

/** The response that names these spans of the sentence, in text order. */
export function responseText(sentence: string, entities: readonly Pick<Entity, "start" | "end" | "type">[]): string {
  const groups = [...entities].sort(compareEntities).map(({ start, end }) => {
    if (!(Number.isInteger(start) && start >= 0 && start < end && end <= sentence.length)) {
      throw new Error(
        `expected an entity inside the sentence of ${sentence.length} UTF-16 units, got ${start}–${end} (correct its offsets)`,
      );
    }
    return `${OPEN} ${sentence.slice(start, end)}${CLOSE}`;
  });
  return `${HEAD}${groups.length === 0 ? OPEN + CLOSE : groups.join("")}${END}`;
}

/** Token ids of a prompt and a response to it. */
export interface EncodedResponse {
  /** BOS where the tokenizer adds it, prompt, response, end token. */
  ids: number[];
  /** Of each id in prompt + response, UTF-16 units; BOS and end token have the empty range at the start and the end. */
  offsets: [number, number][];
  /** Index of the first id of the response. */
  responseStart: number;
}

/**
 * The ids are built once over the whole text, so that tokens cannot differ at the seam. The response begins at the first
 * token that holds a character of it, should a token ever hold the seam.
 */
export function encodeResponse(tokenizer: PromptTokenizer, prompt: string, response: string): EncodedResponse {
  const { ids, offsets } = tokenizer.encode(prompt + response);
  const start = firstAfter(offsets, prompt.length);
  const end = prompt.length + response.length;
  const bos = tokenizer.addBos ? tokenizer.bosTokenId : null;
  return {
    ids: [...(bos === null ? [] : [bos]), ...ids, tokenizer.eosTokenId],
    offsets: [...(bos === null ? [] : [[0, 0] as [number, number]]), ...offsets, [end, end]],
    responseStart: bos === null ? start : start + 1,
  };
}

/**
 * The ids of a training prompt and its response, or of a prompt to be answered.
 *
 * @param entities the sentence's gold entities (those of other types are left out), or null for a prompt to be answered.
 *   The ids of that prompt are those that come before any response in the ids with response.
 */
export function encodePrompt(
  tokenizer: PromptTokenizer,
  sentence: string,
  type: EntityType,
  entities: readonly Entity[] | null,
): PromptEncoding {
  const prompt = promptText(sentence, type);
  const sentenceStart = promptPrefix(type).length;
  const own = entities?.filter((entity) => entity.type === type.name);
  const response = own === undefined ? null : responseText(sentence, own);
  // A prompt to be answered is encoded with the words that every response begins with, then cut.
  const encoded = encodeResponse(tokenizer, prompt, response ?? HEAD + OPEN);
  if (response === null) {
    encoded.ids.length = encoded.responseStart;
    encoded.offsets.length = encoded.responseStart;
  }
  return {
    ...encoded,
    text: response === null ? prompt : prompt + response,
    sentence: [sentenceStart, sentenceStart + sentence.length],
    typeMention: [HEADER.length, HEADER.length + type.name.length],
  };
}

/** The ids that `response`, the beginning of a response, has behind a prompt. */
export function responseIds(tokenizer: PromptTokenizer, response: string): number[] {
  const { ids, offsets } = tokenizer.encode(BEFORE_RESPONSE + response);
  return ids.slice(firstAfter(offsets, BEFORE_RESPONSE.length));
}

/** Index of the first token that holds a character at or behind `position`. */
function firstAfter(offsets: readonly [number, number][], position: number): number {
  const index = offsets.findIndex(([, end]) => end > position);
  return index < 0 ? offsets.length : index;
}
