/**
 * The tokens of a GGUF file, checked (metadata keys `tokenizer.ggml.*` of the GGUF specification).
 *
 * Only tokens that text can become enter the tokenizer: control and user-defined tokens keep their id and name but are
 * never found in a document, whatever it says.
 */
import { GgufError } from "../gguf/ggufError.ts";
import { quoted, type GgufValue, type Metadata } from "../gguf/metadata.ts";

export interface Vocabulary {
  /** Every token of the file, by id, in the file's own spelling. */
  readonly tokens: readonly string[];
  /** Ids of the tokens that text can become, by spelling. */
  readonly textIds: ReadonlyMap<string, number>;
}

// llama.cpp's llama_token_type.
const NORMAL = 1;
const BYTE = 6;

export function readVocabulary(metadata: Metadata): Vocabulary {
  const tokens = requireStrings(metadata, "tokenizer.ggml.tokens");
  const types = readNumbers(metadata, "tokenizer.ggml.token_type", tokens.length);
  const textIds = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    const type = types?.[id] ?? NORMAL;
    if ((type === NORMAL || type === BYTE) && token !== "") textIds.set(token, id);
  }
  return { tokens, textIds };
}

export function requireStrings(metadata: Metadata, key: string): readonly string[] {
  const list = metadata.get(key);
  if (isStrings(list) && list.length > 0) return list;
  throw new GgufError(
    `expected ${key} to be a list of strings, got ${describe(list)} (a model file without its tokenizer cannot be used)`,
  );
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** One number for each token, or null where the file has none. */
export function readNumbers(metadata: Metadata, key: string, count: number): Float32Array | Int32Array | null {
  const list = metadata.get(key);
  if (list === undefined) return null;
  if ((list instanceof Float32Array || list instanceof Int32Array) && list.length === count) return list;
  throw new GgufError(`expected ${key} to be ${count} numbers, one for each token, got ${describe(list)}`);
}

function describe(value: GgufValue | undefined): string {
  if (value === undefined) return "nothing";
  if (typeof value === "object") return `an array of ${value.length}`;
  return typeof value === "string" ? quoted(value) : String(value);
}
