import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Tokenizer } from "./tokenizer.ts";
import { folderOf, metadataOf, readGolden, smollm2Tokenizer } from "./tokenizer/testTokenizers.ts";

const texts = readGolden("tokenizer.json") as { text: string; smollm2: number[] }[];

describe("SmolLM2's tokenizer", async () => {
  const tokenizer = await smollm2Tokenizer();

  it("adds no BOS and ends with <|im_end|>", () => {
    expect([tokenizer.addBos, tokenizer.token(tokenizer.eosTokenId), tokenizer.vocabSize]).toEqual([
      false,
      "<|im_end|>",
      49152,
    ]);
  });

  it.each(texts)("gives the ids of Rust tokenizers for $text", ({ text, smollm2 }) => {
    expect(tokenizer.encode(text).ids).toEqual(smollm2);
    expect(tokenizer.decode(smollm2)).toBe(text);
  });

  it("merges over bytes that the vocabulary lacks, as Rust tokenizers do", () => {
    expect(tokenizer.encode("!\u0004!").ids).toEqual(tokenizer.encode("!!").ids);
  });
});

describe("a trained SentencePiece vocabulary (llama2.c's tok512)", () => {
  const tokenizer = Tokenizer.fromGguf({ metadata: readLlama2c(folderOf("OBP_DATA_DIR", "tiny-llama", "tok512.bin")) });

  it("gives the known ids of a sentence", () => {
    const { ids } = tokenizer.encode("Once upon a time, there was a little girl named Lily.");
    expect(ids).toEqual([403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426]);
    expect(ids.map((id) => tokenizer.token(id)).join("|")).toBe(
      " Once| upon| a| time|,| there| was| a| little| g|ir|l| named| Lily|.",
    );
  });

  it("takes what it has no piece for as bytes, and gives every text back", () => {
    for (const { text } of texts) expect(tokenizer.decode(tokenizer.encode(text).ids)).toBe(text);
    expect(tokenizer.encode("四").ids.slice(1)).toEqual([0xe5, 0x9b, 0x9b].map((byte) => 3 + byte));
  });
});

/** llama2.c's tokenizer.bin: the longest piece, then score, length and bytes of each; it writes a space for U+2581. */
function readLlama2c(path: string) {
  const bytes = readFileSync(path);
  const tokens: string[] = [];
  const scores: number[] = [];
  for (let at = 4; at < bytes.length;) {
    scores.push(bytes.readFloatLE(at));
    const start = at + 8;
    at = start + bytes.readInt32LE(at + 4);
    tokens.push(bytes.toString("utf8", start, at).replaceAll(" ", "▁"));
  }
  return metadataOf({
    "tokenizer.ggml.model": "llama",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.scores": scores,
    "tokenizer.ggml.token_type": tokens.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1)),
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 2,
  });
}
