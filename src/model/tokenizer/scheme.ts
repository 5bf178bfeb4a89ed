/**
 * What a family of tokenizers (byte-level BPE, SentencePiece) must say about itself. The ids come from
 * @huggingface/tokenizers, which is given `json`; the rest is what offsets and decoding need, since the library gives
 * tokens without their place in the text.
 */
export interface Scheme {
  /** The content of a tokenizer.json, for the library. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The text whose UTF-8 bytes the tokens hold: as many UTF-16 units as the (well-formed) text given. */
  plainText(text: string): string;
  /** Whether a byte of the text comes back in a token; a byte that the vocabulary lacks is dropped. */
  holdsByte(byte: number): boolean;
  /** Bytes that the tokens of a non-empty text hold before the text's own first byte. */
  readonly prefixBytes: number;
  /** The bytes of text that a token stands for, the word-start sign as a space. */
  tokenBytes(token: string): Uint8Array;
}
