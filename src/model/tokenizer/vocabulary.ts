/**
 * The tokens of a GGUF file, checked (metadata keys `tokenizer.ggml.*` of the GGUF specification).
 *
 * Only tokens that text can become enter the tokenizer: control and user-defined tokens keep their id and name but are
 * never found in a document, whatever it says.
 */
import { GgufError } from "../gguf/ggufError.ts";

export type Metadata = ReadonlyMap<string, unknown>;

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

/** A token id, or null where the file has none. */
export function readTokenId(metadata: Metadata, key: string, vocabSize: number): number | null {
  const id = metadata.get(key);
  if (id === undefined) return null;
  if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= vocabSize) {
    throw new GgufError(`expected ${key} to be a token id below ${vocabSize}, got ${describe(id)}`);
  }
  return id;
}

/** A flag, or null where the file has none. */
export function readFlag(metadata: Metadata, key: string): boolean | null {
  const flag = metadata.get(key);
  if (flag === undefined) return null;
  if (typeof flag !== "boolean") throw new GgufError(`expected ${key} to be true or false, got ${describe(flag)}`);
  return flag;
}

export function requireStrings(metadata: Metadata, key: string): readonly string[] {
  const list = metadata.get(key);
  if (!Array.isArray(list) || list.length === 0 || !list.every((item) => typeof item === "string")) {
    throw new GgufError(
      `expected ${key} to be a list of strings, got ${describe(list)} (a model file without its tokenizer cannot be used)`,
    );
  }
  return list;
}

/** `count` numbers, or null where the file has none. */
export function readNumbers(metadata: Metadata, key: string, count: number): ArrayLike<number> | null {
  const list = metadata.get(key);
  if (list === undefined) return null;
  const isNumbers =
    (ArrayBuffer.isView(list) && !(list instanceof DataView)) ||
    (Array.isArray(list) && list.every((item) => typeof item === "number"));
  const numbers = isNumbers ? (list as ArrayLike<number>) : null;
  if (numbers?.length !== count) {
    throw new GgufError(`expected ${key} to be ${count} numbers, one for each token, got ${describe(list)}`);
  }
  return numbers;
}

/** A metadata value as an error names it. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `an array of ${value.byteLength} bytes`;
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}
