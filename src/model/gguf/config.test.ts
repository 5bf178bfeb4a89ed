import { describe, expect, it } from "vitest";
import {
  BOOL,
  buildGguf,
  f32,
  FLOAT32,
  llamaSpec,
  str,
  STRING,
  u32,
  u8,
  UINT32,
  withMetadata,
  withTensor,
} from "./buildGguf.ts";
import type { GgufSpec } from "./buildGguf.ts";
import { bytesSource } from "./byteSource.ts";
import { readLlamaConfig } from "./config.ts";
import { goldenBytes } from "./goldenFiles.ts";
import { openGguf } from "./gguf.ts";

const configOf = async (bytes: Uint8Array) => readLlamaConfig(await openGguf(bytesSource(bytes, "test.gguf")));
const built = (spec: GgufSpec) => configOf(buildGguf(spec));

/** llamaSpec with some metadata replaced. */
function spec(changes: Record<string, [type: number, value: Uint8Array] | null>): GgufSpec {
  return Object.entries(changes).reduce((spec, [key, value]) => withMetadata(spec, key, value), llamaSpec());
}

it("reads the Llama of Python's GGUFWriter", async () => {
  expect(await configOf(goldenBytes("tiny.gguf"))).toEqual({
    name: "tiny",
    layers: 2,
    hiddenSize: 64,
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    feedForwardSize: 96,
    vocabSize: 40,
    contextLength: 128,
    ropeTheta: 50000,
    ropeFactors: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    rmsNormEps: Math.fround(1e-5),
    tiedEmbeddings: false,
    bosTokenId: 1,
    eosTokenId: 2,
    addBos: true, // a SentencePiece model that does not say otherwise
  });
});

it("fills in what a file leaves out", async () => {
  const config = await built(llamaSpec());
  expect(config).toMatchObject({
    name: "test.gguf",
    headDim: 4,
    ropeTheta: 10000,
    ropeFactors: null,
    tiedEmbeddings: true,
    addBos: false,
  });
  const withoutBos = await built(spec({ "tokenizer.ggml.bos_token_id": null }));
  expect(withoutBos.bosTokenId).toBeNull();
});

it("takes the heads for key-value heads, and their size from the file", async () => {
  let multiHead = spec({ "llama.attention.head_count_kv": null });
  for (const name of ["blk.0.attn_k.weight", "blk.0.attn_v.weight"]) {
    multiHead = withTensor(multiHead, name, { dims: [8, 8], type: 0 });
  }
  expect(await built(multiHead)).toMatchObject({ heads: 2, kvHeads: 2 });

  // Heads wider than hiddenSize / heads, as Mistral NeMo has them.
  let wide = spec({ "llama.attention.key_length": [UINT32, u32(8)], "llama.attention.value_length": [UINT32, u32(8)] });
  wide = withTensor(wide, "blk.0.attn_q.weight", { dims: [8, 16], type: 0 });
  wide = withTensor(wide, "blk.0.attn_k.weight", { dims: [8, 8], type: 0 });
  wide = withTensor(wide, "blk.0.attn_v.weight", { dims: [8, 8], type: 0 });
  wide = withTensor(wide, "blk.0.attn_output.weight", { dims: [16, 8], type: 0 });
  expect(await built(wide)).toMatchObject({ headDim: 8, hiddenSize: 8 });
});

describe("RoPE factors", () => {
  const linear = {
    "llama.rope.scaling.type": [STRING, str("linear")],
    "llama.rope.scaling.factor": [FLOAT32, f32(4)],
  } satisfies Parameters<typeof spec>[0];

  it("are one for all pairs under linear scaling", async () => {
    expect((await built(spec(linear))).ropeFactors).toEqual(Float32Array.of(4, 4));
  });

  it("are linear where a factor stands without a type, and none where the type is none", async () => {
    expect((await built(spec({ ...linear, "llama.rope.scaling.type": null }))).ropeFactors).toEqual(
      Float32Array.of(4, 4),
    );
    const old = { "llama.rope.scale_linear": [FLOAT32, f32(2)] } satisfies Parameters<typeof spec>[0];
    expect((await built(spec(old))).ropeFactors).toEqual(Float32Array.of(2, 2));
    const none = { ...linear, "llama.rope.scaling.type": [STRING, str("none")] } satisfies Parameters<typeof spec>[0];
    expect((await built(spec(none))).ropeFactors).toBeNull();
  });

  it("are those of rope_freqs.weight", async () => {
    const data = new Uint8Array(Float32Array.of(1, 8).buffer);
    const file = withTensor(llamaSpec(), "rope_freqs.weight", { dims: [2], type: 0, data });
    expect((await built(file)).ropeFactors).toEqual(Float32Array.of(1, 8));
    const both = Object.entries(linear).reduce((spec, [key, value]) => withMetadata(spec, key, value), file);
    expect((await built(both)).ropeFactors).toEqual(Float32Array.of(4, 32));
  });
});

it.each([
  ["llama", undefined, undefined, true],
  ["gpt2", "smollm", undefined, false],
  ["gpt2", "llama-bpe", undefined, true],
  ["llama", undefined, 0, false],
  ["gpt2", "smollm", 1, true],
])("tokenizer %s, %s, add_bos_token %s: begins with BOS %s", async (model, pre, add, expected) => {
  const config = await built(
    spec({
      "tokenizer.ggml.model": [STRING, str(model)],
      "tokenizer.ggml.pre": pre === undefined ? null : [STRING, str(pre)],
      "tokenizer.ggml.add_bos_token": add === undefined ? null : [BOOL, u8(add)],
    }),
  );
  expect(config.addBos).toBe(expected);
});
