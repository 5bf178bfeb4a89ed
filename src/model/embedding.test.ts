/** Embedding rows read from the file against those that the GPU gathers: bit for bit, in training and in decoding. */
import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { sftGradients } from "../train/gradients.ts";
import { Decoder } from "./decoder.ts";
import { EmbeddingRows } from "./embedding.ts";
import { bytesSource, type ByteSource } from "./gguf/byteSource.ts";
import { openGguf } from "./gguf/gguf.ts";
import type { GgmlType } from "./gguf/types.ts";
import { Llama } from "./llama.ts";
import { filledLora } from "./testLora.ts";
import { testModelBytes } from "./testModel.ts";

const gpu = await testGpu();
const ids = [3, 49, 0, 7, 7, 12, 3, 31, 20, 8];

/** Logits after a prompt, and the gradients of training on it. */
async function passes(llama: Llama) {
  const lora = await filledLora(llama, { rank: 4, targets: ["q_proj", "down_proj"], deviation: 0.1 });
  const decoder = new Decoder(llama, lora, { prefixes: 4, branches: 1, branch: 8 });
  await decoder.keep([[ids.slice(0, 4)]]);
  decoder.restart(0, [ids.slice(0, 4)]);
  await decoder.append([{ branch: 0, ids: ids.slice(4) }]);
  const logits = await decoder.logits(0);
  const { gradients } = await sftGradients(llama, lora, [{ name: "a", ids, responseStart: 6 }]);
  decoder.destroy();
  lora.destroy();
  return { logits, gradients: gradients.tensors };
}

test.each<[GgmlType, number]>([
  ["F32", 64],
  ["Q4_0", 64],
  ["Q4_1", 64],
  ["Q8_0", 64],
  ["Q4_K", 256],
  ["Q6_K", 256],
])("%s rows from the file give the same logits and gradients", async (type, hiddenSize) => {
  const bytes = testModelBytes({ hiddenSize, typeOf: (name) => (name === "token_embd" ? type : "Q4_0") });
  const gguf = await openGguf(bytesSource(bytes, "untied.gguf"));
  const inGpu = await Llama.load(gpu, gguf);
  const inFile = await Llama.load(gpu, gguf, { embeddingInFile: true });
  try {
    expect(inFile.embedding).toBeInstanceOf(EmbeddingRows);
    expect(inGpu.gpuBytes - inFile.gpuBytes).toBeGreaterThan(50 * hiddenSize * 0.5);
    expect(await passes(inFile)).toEqual(await passes(inGpu));
  } finally {
    inGpu.destroy();
    inFile.destroy();
  }
});

test("a tied embedding stays on the GPU: it is the head", async () => {
  const gguf = await openGguf(bytesSource(testModelBytes({ tied: true }), "tied.gguf"));
  const llama = await Llama.load(gpu, gguf, { embeddingInFile: true });
  expect(llama.embedding).toBe(llama.head);
  llama.destroy();
});

test("each row is read once while there is room, the least recently used leave, and a lost file is named", async () => {
  const reads: number[] = [];
  const bytes = bytesSource(testModelBytes(), "untied.gguf");
  let lost = false;
  const source: ByteSource = {
    ...bytes,
    read(offset, length) {
      reads.push(offset);
      return lost ? Promise.reject(new Error("the file is gone")) : bytes.read(offset, length);
    },
  };
  const tensor = (await openGguf(source)).tensors.get("token_embd.weight");
  if (tensor === undefined) throw new Error("expected an embedding");
  reads.length = 0;
  const rows = new EmbeddingRows(tensor, 3 * 64 * 4); // room for three
  const [one, two] = [await rows.read([5, 6, 5]), await rows.read([6, 7])];
  expect(reads).toHaveLength(3);
  expect(one.subarray(64, 128)).toEqual(two.subarray(0, 64));
  expect(one.subarray(128)).toEqual(one.subarray(0, 64));
  await rows.read([8]); // 5 leaves
  expect(rows.keptRows).toBe(3);
  await rows.read([6, 7, 8]);
  expect(reads).toHaveLength(4);
  await rows.read([5]);
  expect(reads).toHaveLength(5);
  await expect(rows.read([50])).rejects.toThrow("expected a token below 50, the rows of token_embd.weight, got 50");
  lost = true;
  await expect(rows.read([9])).rejects.toThrow("the file is gone");
});
