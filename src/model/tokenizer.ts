/**
 * The tokenizer that a GGUF file carries, run by @huggingface/tokenizers on a tokenizer.json made from the metadata.
 *
 * Text is always plain: control tokens ("<|im_start|>") and user-defined ones are in the vocabulary but are never found
 * in a text. No BOS and no end token is added here; the prompt does that (ner/prompt.ts).
 */
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import type { GgufFile } from "./gguf/gguf.ts";
import { GgufError } from "./gguf/ggufError.ts";
import { quoted, stringValue, type Metadata } from "./gguf/metadata.ts";
import { readSpecialTokens, type SpecialTokens } from "./gguf/specialTokens.ts";
import { byteLevelScheme } from "./tokenizer/byteLevel.ts";
import { tokenOffsets } from "./tokenizer/offsets.ts";
import type { Scheme } from "./tokenizer/scheme.ts";
import { sentencePieceScheme } from "./tokenizer/sentencePiece.ts";
import { readVocabulary, type Vocabulary } from "./tokenizer/vocabulary.ts";

export interface Encoding {
  ids: number[];
  /** [start, end) of each token in UTF-16 units. Tokens that share a character share its range. */
  offsets: [number, number][];
}

export class Tokenizer implements SpecialTokens {
  readonly vocabSize: number;
  readonly bosTokenId: number | null;
  /** Ends a response: `tokenizer.ggml.eos_token_id`. */
  readonly eosTokenId: number;
  /** Whether a prompt begins with BOS. */
  readonly addBos: boolean;
  readonly #vocabulary: Vocabulary;
  readonly #scheme: Scheme;
  readonly #library: LibraryTokenizer;

  /** Throws GgufError where the file has no tokenizer, a kind not known here, or one that contradicts itself. */
  static fromGguf(gguf: Pick<GgufFile, "metadata">): Tokenizer {
    return new Tokenizer(gguf.metadata);
  }

  private constructor(metadata: Metadata) {
    const vocabulary = readVocabulary(metadata);
    this.#vocabulary = vocabulary;
    this.#scheme = readScheme(metadata, vocabulary);
    this.#library = new LibraryTokenizer(this.#scheme.json, {});
    this.vocabSize = vocabulary.tokens.length;
    const special = readSpecialTokens(metadata, this.vocabSize);
    this.bosTokenId = special.bosTokenId;
    this.eosTokenId = special.eosTokenId;
    this.addBos = special.addBos;
  }

  encode(text: string): Encoding {
    const plain = this.#scheme.plainText(text.replace(loneSurrogates, "\ufffd"));
    const { ids } = this.#library.encode(plain, { add_special_tokens: false });
    const lengths = ids.map((id) => this.#bytes(id).length);
    return {
      ids,
      offsets: tokenOffsets(plain, lengths, (byte) => this.#scheme.holdsByte(byte), this.#scheme.prefixBytes),
    };
  }

  /** A token for people to read: its text, its name if it is special, `<0xF0><0x9F>` if it is no whole characters. */
  token(id: number): string {
    const spelling = this.#spelling(id);
    if (!this.#vocabulary.textIds.has(spelling)) return spelling;
    const bytes = this.#bytes(id);
    try {
      return strictUtf8.decode(bytes);
    } catch {
      return Array.from(bytes, (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`).join("");
    }
  }

  /** The text of a run of tokens, special ones left out, bytes that are no UTF-8 as U+FFFD. */
  decode(ids: readonly number[]): string {
    const parts = ids.filter((id) => this.#vocabulary.textIds.has(this.#spelling(id))).map((id) => this.#bytes(id));
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const text = lenientUtf8.decode(bytes);
    return this.#scheme.prefixBytes === 1 && text.startsWith(" ") ? text.slice(1) : text;
  }

  #spelling(id: number): string {
    const spelling = this.#vocabulary.tokens[id];
    if (spelling === undefined) throw new RangeError(`expected a token id below ${this.vocabSize}, got ${id}`);
    return spelling;
  }

  #bytes(id: number): Uint8Array {
    return this.#scheme.tokenBytes(this.#spelling(id));
  }
}

const loneSurrogates = /\p{Surrogate}/gu;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientUtf8 = new TextDecoder("utf-8", { ignoreBOM: true });

function readScheme(metadata: Metadata, vocabulary: Vocabulary): Scheme {
  const model = stringValue(metadata, "tokenizer.ggml.model") ?? "";
  switch (model) {
    case "gpt2":
      return byteLevelScheme(metadata, vocabulary);
    case "llama":
      return sentencePieceScheme(metadata, vocabulary);
    default:
      throw new GgufError(
        `expected tokenizer.ggml.model to be gpt2 or llama, got ${model === "" ? "nothing" : quoted(model)}`,
      );
  }
}
