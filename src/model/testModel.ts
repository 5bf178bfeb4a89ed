/** Test helper: a Llama of any shape and tensor types as a GGUF file, its weights random. */
import { TestRandom } from "../kernels/testRandom.ts";
import { array, ARRAY, buildGguf, f32, FLOAT32, str, STRING, type TensorSpec, u32, UINT32 } from "./gguf/buildGguf.ts";
import { GGML_TYPES, type GgmlType, rowBytes } from "./gguf/types.ts";

export interface TestModelShape {
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly feedForwardSize: number;
  readonly vocabSize: number;
  readonly tied: boolean;
  readonly contextLength: number;
  /** Of a matrix, by GGUF's name without its block: token_embd, attn_q … output. */
  readonly typeOf: (name: string) => GgmlType;
}

export const TEST_MODEL: TestModelShape = {
  ...{ layers: 3, hiddenSize: 64, heads: 4, kvHeads: 2, feedForwardSize: 96, vocabSize: 50, tied: false },
  contextLength: 2048,
  typeOf: (name) => (name === "output" ? "Q8_0" : "Q4_0"),
};

/** [GGUF name, (K, N)] of all matrices; their names carry ".weight" in the file. */
function matrices(shape: TestModelShape): [name: string, K: number, N: number][] {
  const { hiddenSize: C, heads, kvHeads, feedForwardSize: FF, vocabSize: V } = shape;
  const kv = (C / heads) * kvHeads;
  const blocks = Array.from({ length: shape.layers }, (_, i): [string, number, number][] => [
    [`blk.${i}.attn_q`, C, C],
    [`blk.${i}.attn_k`, C, kv],
    [`blk.${i}.attn_v`, C, kv],
    [`blk.${i}.attn_output`, C, C],
    [`blk.${i}.ffn_gate`, C, FF],
    [`blk.${i}.ffn_up`, C, FF],
    [`blk.${i}.ffn_down`, FF, C],
  ]);
  return [
    ["token_embd", C, V],
    ...blocks.flat(),
    ...(shape.tied ? [] : [["output", C, V] as [string, number, number]]),
  ];
}

export function testModelBytes(changes: Partial<TestModelShape> = {}, seed = 1): Uint8Array<ArrayBuffer> {
  const shape = { ...TEST_MODEL, ...changes };
  const random = new TestRandom(seed);
  const norms = [
    ...Array.from({ length: shape.layers }, (_, i) => [`blk.${i}.attn_norm`, `blk.${i}.ffn_norm`]).flat(),
    "output_norm",
  ];
  return buildGguf({
    metadata: [
      ["general.architecture", STRING, str("llama")],
      ["llama.block_count", UINT32, u32(shape.layers)],
      ["llama.context_length", UINT32, u32(shape.contextLength)],
      ["llama.embedding_length", UINT32, u32(shape.hiddenSize)],
      ["llama.feed_forward_length", UINT32, u32(shape.feedForwardSize)],
      ["llama.attention.head_count", UINT32, u32(shape.heads)],
      ["llama.attention.head_count_kv", UINT32, u32(shape.kvHeads)],
      ["llama.attention.layer_norm_rms_epsilon", FLOAT32, f32(1e-5)],
      [
        "tokenizer.ggml.tokens",
        ARRAY,
        array(
          STRING,
          Array.from({ length: shape.vocabSize }, (_, i) => str(`t${i}`)),
        ),
      ],
      ["tokenizer.ggml.bos_token_id", UINT32, u32(0)],
      ["tokenizer.ggml.eos_token_id", UINT32, u32(1)],
    ],
    tensors: [
      ...matrices(shape).map(([name, K, N]): [string, TensorSpec] => {
        const type = shape.typeOf(name.replace(/^blk\.\d+\./, ""));
        return [`${name}.weight`, { dims: [K, N], type: GGML_TYPES[type].id, data: randomBlocks(random, type, K, N) }];
      }),
      ...norms.map((name): [string, TensorSpec] => {
        const data = Float32Array.from({ length: shape.hiddenSize }, () => random.uniform(0.5, 1.5));
        return [`${name}.weight`, { dims: [shape.hiddenSize], type: 0, data: new Uint8Array(data.buffer) }];
      }),
    ],
  });
}

/** Blocks of any quants, with scales of both signs that make weights of about 0.1. */
function randomBlocks(random: TestRandom, type: GgmlType, K: number, N: number): Uint8Array<ArrayBuffer> {
  if (type === "F32") {
    return new Uint8Array(random.normal(K * N, 0.1).buffer);
  }
  const bytes = Uint8Array.from({ length: N * rowBytes(type, K) }, () => random.u32() & 255);
  const view = new DataView(bytes.buffer);
  const { blockBytes } = GGML_TYPES[type];
  const [at, exponent] = HALF_SCALES[type] ?? [];
  if (at === undefined || exponent === undefined) {
    throw new Error(`expected one of F32, ${Object.keys(HALF_SCALES).join(", ")}, got ${type}`);
  }
  for (let block = 0; block < bytes.length; block += blockBytes) {
    for (const half of at) {
      view.setUint16(block + half, (exponent << 10) | (random.u32() & 0x83ff), true);
    }
  }
  return bytes;
}

/** Where a block's f16 scales lie, and the exponent (biased) that suits them. */
const HALF_SCALES: Readonly<Partial<Record<GgmlType, readonly [at: readonly number[], exponent: number]>>> = {
  Q4_0: [[0], 9],
  Q4_1: [[0, 2], 8],
  Q8_0: [[0], 5],
  Q4_K: [[0, 2], 3],
  Q6_K: [[208], 1],
};
