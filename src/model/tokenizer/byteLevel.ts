/**
 * `tokenizer.ggml.model = gpt2`: byte-level BPE (Radford et al. 2019). Every byte of the text's UTF-8 is written as one
 * printable character, the text is cut by the pre-tokenizer's regular expressions, and each piece is merged.
 *
 * The pre-tokenizers are written with Split and explicit classes instead of the library's ByteLevel and Digits, which
 * differ from the Rust crate: their \s and \d are JavaScript's (U+FEFF is white space, U+0085 is not, digits are ASCII),
 * and (?i:) does not know that U+017F is a small s.
 */
import { GgufError } from "../gguf/ggufError.ts";
import { quoted, stringValue, type Metadata } from "../gguf/metadata.ts";
import { LLAMA3_PRE_TOKENIZERS } from "../gguf/specialTokens.ts";
import { requireStrings, type Vocabulary } from "./vocabulary.ts";
import type { Scheme } from "./scheme.ts";

interface PreTokenizer {
  /** Expressions applied one after the other, each on the pieces of the one before. */
  patterns: readonly string[];
  /** A piece that is a token as a whole is not merged up from its bytes. */
  ignoreMerges: boolean;
}

const gpt2Pattern = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const llama3Pattern = String.raw`'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const smollm: PreTokenizer = { patterns: [String.raw`\p{N}`, gpt2Pattern], ignoreMerges: false };
const llama3: PreTokenizer = { patterns: [llama3Pattern], ignoreMerges: true };

/** By the file's `tokenizer.ggml.pre`. */
const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map([
  ["smollm", smollm],
  ...LLAMA3_PRE_TOKENIZERS.map((name) => [name, llama3] as const),
]);

export function byteLevelScheme(metadata: Metadata, vocabulary: Vocabulary): Scheme {
  const pre = stringValue(metadata, "tokenizer.ggml.pre") ?? "";
  const preTokenizer = preTokenizers.get(pre);
  if (preTokenizer === undefined) {
    const known = [...preTokenizers.keys()].join(", ");
    throw new GgufError(`expected tokenizer.ggml.pre to be one of ${known}, got ${pre === "" ? "none" : quoted(pre)}`);
  }
  const absent = byteSigns.filter((sign) => !vocabulary.textIds.has(sign));
  const isAbsent = byteSigns.map((sign) => absent.includes(sign));
  const split = (pattern: string) => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  });
  // The Rust crate leaves out bytes without a token before it merges, so that their neighbours may merge; the library
  // would leave them out afterwards.
  const drop = absent.map((sign) => `\\x{${sign.charCodeAt(0).toString(16)}}`).join("");
  return {
    json: {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          ...preTokenizer.patterns.map(split),
          { type: "ByteLevel", add_prefix_space: false, use_regex: false },
          ...(drop === "" ? [] : [{ type: "Replace", pattern: { Regex: `[${drop}]` }, content: "" }]),
        ],
      },
      post_processor: null,
      decoder: null,
      model: {
        type: "BPE",
        vocab: Object.fromEntries(vocabulary.textIds),
        merges: readMerges(metadata, vocabulary),
        ignore_merges: preTokenizer.ignoreMerges,
      },
    },
    plainText: (text) => text,
    holdsByte: (byte) => isAbsent[byte] === false,
    prefixBytes: 0,
    tokenBytes: (token) => Uint8Array.from(token, (sign) => byteOfSign.get(sign) ?? NEVER_UTF8),
  };
}

/** "left right" pairs. A pair that would spell a special token is left out: text must not become one. */
function readMerges(metadata: Metadata, { tokens, textIds }: Vocabulary): [string, string][] {
  const known = new Set(tokens);
  const merges: [string, string][] = [];
  for (const [index, merge] of requireStrings(metadata, "tokenizer.ggml.merges").entries()) {
    const space = merge.indexOf(" ", 1);
    const left = merge.slice(0, space);
    const right = merge.slice(space + 1);
    const unknown = space < 0 ? merge : [left, right, left + right].find((part) => !known.has(part));
    if (unknown !== undefined) {
      throw new GgufError(
        `expected merge ${index} of tokenizer.ggml.merges to join two tokens to a third, got ${quoted(merge)} (${quoted(unknown)} is no token)`,
      );
    }
    if (textIds.has(left) && textIds.has(right) && textIds.has(left + right)) merges.push([left, right]);
  }
  return merges;
}

/** For a character outside the alphabet, in a token that no text becomes: it shows as U+FFFD. */
const NEVER_UTF8 = 0xff;

/** GPT-2's alphabet: bytes that print stand for themselves, the others for U+0100 onwards, in order. */
const byteSigns = makeByteSigns();
const byteOfSign: ReadonlyMap<string, number> = new Map(byteSigns.map((sign, byte) => [sign, byte]));

function makeByteSigns(): readonly string[] {
  const prints = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : next++));
}
