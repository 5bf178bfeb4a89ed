/** What a GGUF says of a Llama: sizes, RoPE, special tokens; and whether its tensors are those of one. */
import { MAX_HEAD_DIM } from "../../kernels/attention.ts";
import { readTensorF32 } from "./dequantize.ts";
import type { GgufFile } from "./gguf.ts";
import { GgufError } from "./ggufError.ts";
import { countValue, positiveValue, quoted, stringValue } from "./metadata.ts";
import { readSpecialTokens, type SpecialTokens } from "./specialTokens.ts";

export interface LlamaConfig extends SpecialTokens {
  readonly name: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly feedForwardSize: number;
  readonly vocabSize: number;
  /** tokens */
  readonly contextLength: number;
  readonly ropeTheta: number;
  /**
   * (headDim / 2): pair i turns by position · ropeTheta^(-2i/headDim) / ropeFactors[i]. Llama 3's scaling as GGUF
   * stores it (rope_freqs.weight), or a linear scaling's one factor for all; null where there is none.
   */
  readonly ropeFactors: Float32Array<ArrayBuffer> | null;
  readonly rmsNormEps: number;
  /** the output head is the embedding (no output.weight) */
  readonly tiedEmbeddings: boolean;
}

/**
 * Reads and checks the configuration; of the tensors' data only rope_freqs.weight is read.
 * @throws GgufError where the file holds another architecture, or metadata and tensors that do not fit together
 */
export async function readLlamaConfig(gguf: GgufFile): Promise<LlamaConfig> {
  const { metadata } = gguf;
  const architecture = stringValue(metadata, "general.architecture");
  if (architecture !== "llama") {
    throw new GgufError(
      `expected a model of the architecture "llama", got ${architecture === undefined ? "none" : quoted(architecture)} in ${gguf.name} (choose a Llama, SmolLM or another model that its GGUF calls llama)`,
    );
  }
  const sizes = readSizes(gguf);
  const tiedEmbeddings = !gguf.tensors.has("output.weight");
  checkTensors(gguf, sizes, tiedEmbeddings);
  return {
    name: stringValue(metadata, "general.name") ?? gguf.name,
    ...sizes,
    ropeTheta: positiveValue(metadata, "llama.rope.freq_base") ?? 10000,
    ropeFactors: await readRopeFactors(gguf, sizes.headDim),
    rmsNormEps: required(
      positiveValue(metadata, "llama.attention.layer_norm_rms_epsilon"),
      "llama.attention.layer_norm_rms_epsilon",
    ),
    tiedEmbeddings,
    ...readSpecialTokens(metadata, sizes.vocabSize),
  };
}

type Sizes = Pick<
  LlamaConfig,
  "layers" | "hiddenSize" | "heads" | "kvHeads" | "headDim" | "feedForwardSize" | "vocabSize" | "contextLength"
>;

function readSizes(gguf: GgufFile): Sizes {
  const { metadata } = gguf;
  const size = (key: string): number => {
    const value = required(countValue(metadata, key), key);
    if (value === 0) throw new GgufError(`expected the metadata value ${quoted(key)} to be above 0, got 0`);
    return value;
  };
  const optional = (key: string, otherwise: number) => (metadata.has(key) ? size(key) : otherwise);
  const layers = size("llama.block_count");
  const hiddenSize = size("llama.embedding_length");
  const heads = size("llama.attention.head_count");
  const kvHeads = optional("llama.attention.head_count_kv", heads);
  const headDim = optional("llama.attention.key_length", hiddenSize / heads);
  const experts = countValue(metadata, "llama.expert_count") ?? 0;
  if (experts > 0) throw new GgufError(`expected a dense Llama, got a mixture of ${experts} experts in ${gguf.name}`);
  if (heads % kvHeads !== 0) {
    throw new GgufError(
      `expected the number of attention heads to be a multiple of the key-value heads, got ${heads} and ${kvHeads}`,
    );
  }
  if (headDim % 4 !== 0 || headDim > MAX_HEAD_DIM) {
    throw new GgufError(
      `expected a head size that is a multiple of 4 and at most ${MAX_HEAD_DIM}, got ${headDim} in ${gguf.name} (this engine's attention reads vectors of 4 and keeps a head in registers: choose another model)`,
    );
  }
  for (const key of ["llama.attention.value_length", "llama.rope.dimension_count"]) {
    const value = optional(key, headDim);
    if (value !== headDim) throw new GgufError(`expected ${key} to be the head size ${headDim}, got ${value}`);
  }
  const vocabSize = gguf.tensors.get("token_embd.weight")?.shape[0] ?? 0;
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (Array.isArray(tokens) && vocabSize > 0 && tokens.length !== vocabSize) {
    throw new GgufError(`expected one embedding row for each of ${tokens.length} tokens, got ${vocabSize} rows`);
  }
  return {
    layers,
    hiddenSize,
    heads,
    kvHeads,
    headDim,
    feedForwardSize: size("llama.feed_forward_length"),
    vocabSize,
    contextLength: size("llama.context_length"),
  };
}

function required<T>(value: T | undefined, key: string): T {
  if (value === undefined) throw new GgufError(`expected the metadata value ${quoted(key)}, got none in the file`);
  return value;
}

/** Names and shapes of a Llama's tensors. */
function* expectedTensors(sizes: Sizes, tiedEmbeddings: boolean): Generator<[name: string, shape: readonly number[]]> {
  const { hiddenSize, headDim, feedForwardSize, vocabSize } = sizes;
  const queryWidth = sizes.heads * headDim;
  const keyWidth = sizes.kvHeads * headDim;
  yield ["token_embd.weight", [vocabSize, hiddenSize]];
  for (let layer = 0; layer < sizes.layers; layer++) {
    const block = `blk.${layer}`;
    yield [`${block}.attn_norm.weight`, [hiddenSize]];
    yield [`${block}.attn_q.weight`, [queryWidth, hiddenSize]];
    yield [`${block}.attn_k.weight`, [keyWidth, hiddenSize]];
    yield [`${block}.attn_v.weight`, [keyWidth, hiddenSize]];
    yield [`${block}.attn_output.weight`, [hiddenSize, queryWidth]];
    yield [`${block}.ffn_norm.weight`, [hiddenSize]];
    yield [`${block}.ffn_gate.weight`, [feedForwardSize, hiddenSize]];
    yield [`${block}.ffn_up.weight`, [feedForwardSize, hiddenSize]];
    yield [`${block}.ffn_down.weight`, [hiddenSize, feedForwardSize]];
  }
  yield ["output_norm.weight", [hiddenSize]];
  if (!tiedEmbeddings) yield ["output.weight", [vocabSize, hiddenSize]];
}

function checkTensors(gguf: GgufFile, sizes: Sizes, tiedEmbeddings: boolean): void {
  const known = new Set(["rope_freqs.weight"]);
  for (const [name, shape] of expectedTensors(sizes, tiedEmbeddings)) {
    const tensor = gguf.tensors.get(name);
    if (tensor === undefined) {
      throw new GgufError(`expected the tensor ${name} of a Llama of ${sizes.layers} layers, got none in ${gguf.name}`);
    }
    if (tensor.shape.join() !== shape.join()) {
      throw new GgufError(
        `expected tensor ${name} to have the shape [${shape.join(", ")}], got [${tensor.shape.join(", ")}] in ${gguf.name}`,
      );
    }
    known.add(name);
  }
  for (const name of gguf.tensors.keys()) {
    if (known.has(name)) continue;
    if (name.endsWith(".bias")) {
      throw new GgufError(`expected a Llama without biases, got the tensor ${quoted(name)} in ${gguf.name}`);
    }
    throw new GgufError(`expected only the tensors of a Llama, got ${quoted(name)} in ${gguf.name}`);
  }
}

async function readRopeFactors(gguf: GgufFile, headDim: number): Promise<Float32Array<ArrayBuffer> | null> {
  const pairs = headDim / 2;
  // llama.cpp: a factor without a type is a linear scaling's, and older files call the factor rope.scale_linear.
  const scaling = stringValue(gguf.metadata, "llama.rope.scaling.type") ?? "linear";
  if (scaling !== "none" && scaling !== "linear") {
    throw new GgufError(`expected the RoPE scaling "none" or "linear", or rope_freqs.weight, got ${quoted(scaling)}`);
  }
  const factor =
    positiveValue(gguf.metadata, "llama.rope.scaling.factor") ??
    positiveValue(gguf.metadata, "llama.rope.scale_linear") ??
    1;
  const linear = scaling === "linear" ? factor : 1;
  const tensor = gguf.tensors.get("rope_freqs.weight");
  if (tensor === undefined) return linear === 1 ? null : new Float32Array(pairs).fill(linear);
  if (tensor.shape.length !== 1 || tensor.shape[0] !== pairs) {
    throw new GgufError(
      `expected rope_freqs.weight to have the shape [${pairs}], half the head size, got [${tensor.shape.join(", ")}]`,
    );
  }
  const factors = (await readTensorF32(tensor)).map((factor) => factor * linear);
  if (!factors.every((factor) => factor > 0 && Number.isFinite(factor))) {
    throw new GgufError(`expected the values of rope_freqs.weight to be above 0, got others (the file is damaged)`);
  }
  return factors;
}
