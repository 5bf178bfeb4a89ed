import { readLlamaConfig, type LlamaConfig } from "../model/gguf/config.ts";
import { openGguf, type GgufFile } from "../model/gguf/gguf.ts";
import { blobSource } from "../model/gguf/byteSource.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { defaultContrastiveLayer } from "../train/contrastive.ts";
import type { ModelFacts } from "./protocol.ts";

/** A model whose head has been read; its tensors are read from the Blob when the weights go to the GPU. */
export interface OpenModel {
  readonly gguf: GgufFile;
  readonly config: LlamaConfig;
  readonly tokenizer: Tokenizer;
  readonly facts: ModelFacts;
  readonly blob: Blob;
}

/** Hashed at each end of a file: the head holds all metadata that matters, the tail weights. */
const FINGERPRINT_BYTES = 1 << 20;

/** SHA-256 over size, head and tail: enough to tell models apart without reading gigabytes. Hex, 16 bytes. */
export async function fingerprint(blob: Blob): Promise<string> {
  const head = blob.slice(0, FINGERPRINT_BYTES);
  const tail = blob.slice(Math.max(0, blob.size - FINGERPRINT_BYTES));
  const bytes = await new Blob([`${blob.size} `, head, tail]).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @throws GgufError, in one sentence, where it is not a Llama that this engine can run. */
export async function readModel(
  blob: Blob,
  fileName: string,
  origin: Pick<ModelFacts, "origin" | "cached">,
): Promise<OpenModel> {
  const gguf = await openGguf(blobSource(blob, fileName));
  const config = await readLlamaConfig(gguf);
  const tokenizer = Tokenizer.fromGguf(gguf);
  const tensorTypes: Record<string, number> = {};
  let parameters = 0;
  for (const { type, shape } of gguf.tensors.values()) {
    tensorTypes[type] = (tensorTypes[type] ?? 0) + 1;
    parameters += shape.reduce((product, size) => product * size, 1);
  }
  const { name, layers, hiddenSize, heads, kvHeads, headDim, feedForwardSize } = config;
  const { vocabSize, contextLength, ropeTheta, tiedEmbeddings } = config;
  const facts: ModelFacts = {
    ...origin,
    ...{ name, layers, hiddenSize, heads, kvHeads, headDim, feedForwardSize },
    ...{ vocabSize, contextLength, ropeTheta, tiedEmbeddings, tensorTypes, parameters },
    contrastiveLayer: defaultContrastiveLayer(layers),
    fingerprint: await fingerprint(blob),
    fileName,
    fileBytes: gguf.fileBytes,
  };
  return { gguf, config, tokenizer, facts, blob };
}
