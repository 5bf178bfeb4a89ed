/** Writes GGUF files byte by byte, right and wrong ones, for the tests of the reader. */

/** GGUF's value types. */
export const UINT8 = 0;
export const UINT32 = 4;
export const FLOAT32 = 6;
export const BOOL = 7;
export const STRING = 8;
export const ARRAY = 9;

export interface TensorSpec {
  /** GGUF's order: the row's length first */
  dims: (number | bigint)[];
  type: number;
  /** from the start of the data; by default after the tensor before, aligned */
  offset?: number | bigint;
  /** by default zeros, 4 bytes for each value */
  data?: Uint8Array;
}

export interface GgufSpec {
  magic?: Uint8Array;
  version?: number;
  /** by default the true counts */
  tensorCount?: number | bigint;
  keyCount?: number | bigint;
  alignment?: number;
  metadata: [key: string | Uint8Array, type: number, value: Uint8Array][];
  tensors: [name: string | Uint8Array, tensor: TensorSpec][];
}

export const joined = (...parts: readonly Uint8Array[]) => joinedAll(parts);

function joinedAll(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function written(length: number, write: (view: DataView) => void): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(length));
  write(view);
  return new Uint8Array(view.buffer);
}

export const u8 = (value: number) => Uint8Array.of(value);
export const u32 = (value: number) => written(4, (view) => view.setUint32(0, value, true));
export const f32 = (value: number) => written(4, (view) => view.setFloat32(0, value, true));
export const u64 = (value: number | bigint) => written(8, (view) => view.setBigUint64(0, BigInt(value), true));

/** A string as GGUF has it: its length, then its bytes. */
export function str(text: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return joined(u64(bytes.byteLength), bytes);
}

/** An array as GGUF has it: element type, count, elements. */
export function array(
  type: number,
  elements: readonly Uint8Array[],
  count: number | bigint = elements.length,
): Uint8Array<ArrayBuffer> {
  return joined(u32(type), u64(count), joinedAll(elements));
}

export function buildGguf(spec: GgufSpec): Uint8Array<ArrayBuffer> {
  const alignment = spec.alignment ?? 32;
  const padding = (length: number) => new Uint8Array((alignment - (length % alignment)) % alignment);
  const infos: Uint8Array[] = [];
  const data: Uint8Array[] = [];
  let next = 0;
  for (const [name, tensor] of spec.tensors) {
    const values = tensor.dims.reduce<number>((product, size) => product * Number(size), 1);
    const bytes = tensor.data ?? new Uint8Array(4 * values);
    infos.push(
      joined(str(name), u32(tensor.dims.length), ...tensor.dims.map(u64), u32(tensor.type), u64(tensor.offset ?? next)),
    );
    data.push(bytes, padding(bytes.byteLength));
    next += bytes.byteLength + padding(bytes.byteLength).byteLength;
  }
  const header = joined(
    spec.magic ?? new TextEncoder().encode("GGUF"),
    u32(spec.version ?? 3),
    u64(spec.tensorCount ?? spec.tensors.length),
    u64(spec.keyCount ?? spec.metadata.length),
    ...spec.metadata.map(([key, type, value]) => joined(str(key), u32(type), value)),
    ...infos,
  );
  return joined(header, padding(header.byteLength), ...data);
}

/** A Llama of one layer, all F32 zeros: hidden 8, 2 heads of 4, 1 key-value head, feed-forward 12, 5 tokens. */
export function llamaSpec(): GgufSpec {
  const weights: [string, number[]][] = [
    ["token_embd", [8, 5]],
    ["blk.0.attn_norm", [8]],
    ["blk.0.attn_q", [8, 8]],
    ["blk.0.attn_k", [8, 4]],
    ["blk.0.attn_v", [8, 4]],
    ["blk.0.attn_output", [8, 8]],
    ["blk.0.ffn_norm", [8]],
    ["blk.0.ffn_gate", [8, 12]],
    ["blk.0.ffn_up", [8, 12]],
    ["blk.0.ffn_down", [12, 8]],
    ["output_norm", [8]],
  ];
  return {
    metadata: [
      ["general.architecture", STRING, str("llama")],
      ["llama.block_count", UINT32, u32(1)],
      ["llama.context_length", UINT32, u32(64)],
      ["llama.embedding_length", UINT32, u32(8)],
      ["llama.feed_forward_length", UINT32, u32(12)],
      ["llama.attention.head_count", UINT32, u32(2)],
      ["llama.attention.head_count_kv", UINT32, u32(1)],
      ["llama.attention.layer_norm_rms_epsilon", FLOAT32, f32(1e-5)],
      ["tokenizer.ggml.tokens", ARRAY, array(STRING, ["<s>", "</s>", "a", "é", ""].map(str))],
      ["tokenizer.ggml.bos_token_id", UINT32, u32(0)],
      ["tokenizer.ggml.eos_token_id", UINT32, u32(1)],
    ],
    tensors: weights.map(([name, dims]) => [`${name}.weight`, { dims, type: 0 }]),
  };
}

/** The spec with one metadata value replaced, or added, or (null) left out. */
export function withMetadata(spec: GgufSpec, key: string, value: [type: number, value: Uint8Array] | null): GgufSpec {
  const metadata = spec.metadata.filter(([other]) => other !== key);
  return { ...spec, metadata: value === null ? metadata : [...metadata, [key, ...value]] };
}

/** The spec with one tensor replaced, or added, or (null) left out. */
export function withTensor(spec: GgufSpec, name: string, tensor: TensorSpec | null): GgufSpec {
  const others = spec.tensors.filter(([other]) => other !== name);
  return { ...spec, tensors: tensor === null ? others : [...others, [name, tensor]] };
}
