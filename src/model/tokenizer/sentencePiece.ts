/**
 * `tokenizer.ggml.model = llama`: SentencePiece BPE with byte fallback (Kudo and Richardson 2018). SentencePiece joins,
 * again and again, the neighbours whose joint piece has the highest score. As BPE: every way to cut a piece in two known
 * pieces is a merge, ranked by the piece's score; the library then does the rest.
 */
import { GgufError } from "../gguf/ggufError.ts";
import { boolValue, type Metadata } from "../gguf/metadata.ts";
import { readNumbers, type Vocabulary } from "./vocabulary.ts";
import type { Scheme } from "./scheme.ts";

/** U+2581, SentencePiece's sign for a space. */
const SPACE_SIGN = "▁";

/** A piece is cut in two in every way, which takes the square of its length; SentencePiece's own are 16 long at most. */
const MAX_PIECE_LENGTH = 256;

export function sentencePieceScheme(metadata: Metadata, vocabulary: Vocabulary): Scheme {
  const scores = readNumbers(metadata, "tokenizer.ggml.scores", vocabulary.tokens.length);
  if (scores === null) throw new GgufError("expected tokenizer.ggml.scores in a SentencePiece model, got nothing");
  const pieceOfByte = Array.from({ length: 256 }, (_, byte) => bytePiece(byte));
  const missing = pieceOfByte.find((piece) => !vocabulary.textIds.has(piece));
  if (missing !== undefined) {
    throw new GgufError(`expected a piece for each of the 256 bytes in a SentencePiece model, got none for ${missing}`);
  }
  const byteOfPiece = new Map(pieceOfByte.map((piece, byte) => [piece, byte]));
  const addSpacePrefix = boolValue(metadata, "tokenizer.ggml.add_space_prefix") ?? true;
  const utf8 = new TextEncoder();
  return {
    json: {
      added_tokens: [],
      normalizer: {
        type: "Sequence",
        normalizers: [
          ...(addSpacePrefix ? [{ type: "Prepend", prepend: SPACE_SIGN }] : []),
          { type: "Replace", pattern: { String: " " }, content: SPACE_SIGN },
        ],
      },
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      model: {
        type: "BPE",
        vocab: Object.fromEntries(vocabulary.textIds),
        merges: mergesFromScores(vocabulary, scores, byteOfPiece),
        byte_fallback: true,
        fuse_unk: false,
        ignore_merges: false,
      },
    },
    // The sign itself in a document cannot be told from a space once it is a piece.
    plainText: (text) => text.replaceAll(SPACE_SIGN, " "),
    holdsByte: () => true,
    prefixBytes: addSpacePrefix ? 1 : 0,
    tokenBytes: (token) => {
      const byte = byteOfPiece.get(token);
      return byte === undefined ? utf8.encode(token.replaceAll(SPACE_SIGN, " ")) : Uint8Array.of(byte);
    },
  };
}

/**
 * Merges, best first: by score, then the longer left part, then the smaller id (the order in which transformers'
 * conversion of SentencePiece models writes a tokenizer.json). Lengths are in characters.
 */
function mergesFromScores(
  { textIds }: Vocabulary,
  scores: ArrayLike<number>,
  byteOfPiece: ReadonlyMap<string, number>,
): [string, string][] {
  const isWord = (piece: string) => textIds.has(piece) && !byteOfPiece.has(piece);
  const merges: { left: string; right: string; score: number; leftLength: number; rightLength: number }[] = [];
  for (const [piece, id] of textIds) {
    if (byteOfPiece.has(piece)) continue;
    if (piece.length > MAX_PIECE_LENGTH) {
      throw new GgufError(
        `expected pieces of at most ${MAX_PIECE_LENGTH} UTF-16 units in a SentencePiece model, got ${piece.length} (the file is damaged)`,
      );
    }
    const characters = Array.from(piece);
    let left = "";
    for (let leftLength = 1; leftLength < characters.length; leftLength++) {
      left += characters[leftLength - 1] ?? "";
      const right = piece.slice(left.length);
      if (!isWord(left) || !isWord(right)) continue;
      merges.push({ left, right, score: scores[id] ?? 0, leftLength, rightLength: characters.length - leftLength });
    }
  }
  // The sort is stable and the map is in the order of ids.
  merges.sort((a, b) => b.score - a.score || b.leftLength - a.leftLength || b.rightLength - a.rightLength);
  return merges.map(({ left, right }) => [left, right]);
}

function bytePiece(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}
