/** SmolLM2-135M-Instruct.Q4_1.gguf in OBP_MODEL_DIR, against the values of Python's `gguf` 0.19.0. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { env } from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fileSource } from "../../cli/fileSource.ts";
import type { ByteSource } from "./byteSource.ts";
import { readLlamaConfig } from "./config.ts";
import { readTensorF32 } from "./dequantize.ts";
import { openGguf, type GgufFile } from "./gguf.ts";
import { packedBytes, packTensor, unpackPart } from "./pack.ts";

let source: ByteSource & { close(): Promise<void> };
let gguf: GgufFile;

beforeAll(async () => {
  const folder = env["OBP_MODEL_DIR"];
  if (folder === undefined) throw new Error("expected OBP_MODEL_DIR to name the folder of the real model, got nothing");
  source = await fileSource(join(folder, "SmolLM2-135M-Instruct.Q4_1.gguf"));
  gguf = await openGguf(source);
});
afterAll(() => source.close());

it("reads the configuration", async () => {
  expect(await readLlamaConfig(gguf)).toEqual({
    name: "Smollm2 135M 8k Lc100K Mix1 Ep2",
    layers: 30,
    hiddenSize: 576,
    heads: 9,
    kvHeads: 3,
    headDim: 64,
    feedForwardSize: 1536,
    vocabSize: 49152,
    contextLength: 8192,
    ropeTheta: 100000,
    ropeFactors: null,
    rmsNormEps: Math.fround(1e-5),
    tiedEmbeddings: true,
    bosTokenId: 1,
    eosTokenId: 2,
    addBos: false,
  });
});

// sha256 of gguf.dequantize(tensor.data, tensor.tensor_type).tobytes()
it.each([
  ["token_embd.weight", "3fd491c8066dd9dc1a2bf6796701526c82817d95c0ecabacdef3013c2b8bbbaa"],
  ["blk.0.ffn_down.weight", "0b78b2226f740ed5594510ed990ea6c2846a6a889ab07cf251e4a489df1d75b0"],
  ["blk.7.attn_k.weight", "fb3e621ad5171f74deb4334b93c111ea657875d1742b9f234c80a4b546d6b46e"],
])("%s has the values of Python's gguf, dequantized and packed in parts", async (name, sha256) => {
  const tensor = gguf.tensors.get(name);
  if (tensor === undefined) throw new Error(`expected ${name}`);
  expect(
    createHash("sha256")
      .update(await readTensorF32(tensor))
      .digest("hex"),
  ).toBe(sha256);
  const packed = createHash("sha256");
  for await (const part of packTensor(tensor, 3 << 20)) packed.update(unpackPart(part));
  expect(packed.digest("hex")).toBe(sha256);
});

it("packs every weight, to sizes known beforehand", async () => {
  let packed = 0;
  for (const tensor of gguf.tensors.values()) {
    const [N, K] = tensor.shape;
    if (N === undefined || K === undefined) continue;
    const expected = packedBytes(tensor.type, N, K);
    for await (const part of packTensor(tensor, 2 ** 27)) {
      expect({ words: part.words.byteLength, scales: part.scales.byteLength }).toEqual(expected);
      packed += part.words.byteLength + part.scales.byteLength;
    }
  }
  // 106.2 M values of Q4_1 at 5 bits and 28.3 M of Q8_0 at 10
  expect(packed).toBe((106_168_320 * 5) / 8 + (28_311_552 * 10) / 8);
});
