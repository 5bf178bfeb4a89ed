/** The special tokens of a model file, and whether its texts begin with BOS: one rule for engine and tokenizer. */
import { GgufError } from "./ggufError.ts";
import { boolValue, countValue, stringValue, type Metadata } from "./metadata.ts";

export interface SpecialTokens {
  readonly bosTokenId: number | null;
  /** Ends a response. */
  readonly eosTokenId: number;
  /** A text begins with bosTokenId. */
  readonly addBos: boolean;
}

/** Llama 3's names in `tokenizer.ggml.pre`. */
export const LLAMA3_PRE_TOKENIZERS = ["llama-bpe", "llama3", "llama-v3"] as const;

/** @throws GgufError where a token is missing or outside of the vocabulary of `vocabSize` tokens */
export function readSpecialTokens(metadata: Metadata, vocabSize: number): SpecialTokens {
  const bosTokenId = tokenId(metadata, "tokenizer.ggml.bos_token_id", vocabSize);
  const eosTokenId = tokenId(metadata, "tokenizer.ggml.eos_token_id", vocabSize);
  if (eosTokenId === null) {
    throw new GgufError("expected tokenizer.ggml.eos_token_id, the token that ends a response, got none in the file");
  }
  const addBos = boolValue(metadata, "tokenizer.ggml.add_bos_token") ?? addsBos(metadata);
  if (addBos && bosTokenId === null) {
    throw new GgufError("expected tokenizer.ggml.bos_token_id for a model that adds it, got none in the file");
  }
  return { bosTokenId, eosTokenId, addBos };
}

/** llama.cpp's rule where a file does not say: SentencePiece models and Llama 3's begin with BOS. */
function addsBos(metadata: Metadata): boolean {
  const pre = stringValue(metadata, "tokenizer.ggml.pre");
  return (
    stringValue(metadata, "tokenizer.ggml.model") === "llama" || LLAMA3_PRE_TOKENIZERS.some((name) => name === pre)
  );
}

function tokenId(metadata: Metadata, key: string, vocabSize: number): number | null {
  const id = countValue(metadata, key) ?? null;
  if (id !== null && id >= vocabSize) {
    throw new GgufError(`expected ${key} to be below the vocabulary's size ${vocabSize}, got ${id}`);
  }
  return id;
}
