/** Broken and hostile files: each ends in one sentence, within a second of processor time and 200 MB. */
import { describe, expect, it } from "vitest";
import { TestRandom } from "../../kernels/testRandom.ts";
import {
  array,
  ARRAY,
  BOOL,
  buildGguf,
  f32,
  FLOAT32,
  joined,
  llamaSpec,
  str,
  STRING,
  u32,
  u64,
  u8,
  UINT32,
  UINT8,
  withMetadata,
  withTensor,
  type GgufSpec,
  type TensorSpec,
} from "./buildGguf.ts";
import { bytesSource, type ByteSource } from "./byteSource.ts";
import { readLlamaConfig } from "./config.ts";
import { goldenBytes } from "./goldenFiles.ts";
import { openGguf } from "./gguf.ts";
import { GgufError } from "./ggufError.ts";
import { packTensor } from "./pack.ts";

const HUGE = 2n ** 60n;

async function load(source: ByteSource): Promise<void> {
  await readLlamaConfig(await openGguf(source));
}

/** The message of the GgufError that loading ends in; fails where it takes too long or too much memory. */
async function refusal(source: ByteSource): Promise<string> {
  const memory = () => process.memoryUsage.rss() / 2 ** 20;
  const [cpu, mb] = [process.cpuUsage(), memory()];
  const error = await load(source).then(
    () => new Error("nothing was refused"),
    (error: unknown) => error,
  );
  if (!(error instanceof GgufError)) throw error;
  expect(process.cpuUsage(cpu).user / 1e6).toBeLessThan(1);
  expect(memory() - mb).toBeLessThan(200);
  expect(error.message).toMatch(/^expected [^\n]*, got [^\n]*$/);
  expect(error.message.length).toBeLessThan(400);
  return error.message;
}

const refusalOf = (spec: GgufSpec) => refusal(bytesSource(buildGguf(spec), "test.gguf"));
const llama = llamaSpec();
const meta = (key: string, value: [type: number, value: Uint8Array] | null) => withMetadata(llama, key, value);
const tensor = (name: string, spec: TensorSpec | null) => withTensor(llama, name, spec);
const notUtf8 = Uint8Array.of(0x61, 0xff, 0x62);

it("the file that the others break is a good one", async () => {
  await load(bytesSource(buildGguf(llama), "test.gguf"));
});

describe("the first bytes", () => {
  const header = (...parts: Uint8Array[]) => bytesSource(joined(...parts, new Uint8Array(64)), "test.gguf");
  const magic = new TextEncoder().encode("GGUF");
  const bigEndian = (value: number) => u32(value).reverse();

  it.each([
    ["empty", bytesSource(new Uint8Array(0), "a.gguf"), /expected a GGUF file, got 0 bytes in a\.gguf/],
    ["wrong magic", header(new TextEncoder().encode("PK\u0003\u0004")), /got 50 4b 03 04 in test\.gguf/],
    ["big-endian", header(magic, bigEndian(3), u64(0), u64(0)), /expected a little-endian GGUF file, got a big-endian/],
    ["version 1", header(magic, u32(1)), /expected GGUF version 2 or 3, got version 1/],
    ["version 4", header(magic, u32(4)), /expected GGUF version 2 or 3, got version 4/],
    ["version 0", header(magic, u32(0)), /expected GGUF version 2 or 3, got version 0/],
  ])("%s", async (_, source, message) => {
    expect(await refusal(source)).toMatch(message);
  });
});

describe("a file cut anywhere", () => {
  const whole = buildGguf(llama);
  const headerEnd = whole.byteLength - llama.tensors.length * 128; // somewhere in the table of tensors

  it("is refused", async () => {
    for (let length = 0; length < whole.byteLength; length += length < headerEnd ? 1 : 37) {
      const message = await refusal(bytesSource(whole.subarray(0, length), "test.gguf"));
      expect(message).toMatch(/truncated|empty/);
    }
    expect(await refusal(bytesSource(whole.subarray(0, -1), "test.gguf"))).toMatch(
      /"output_norm.weight" to end within/,
    );
  });
});

describe("absurd counts and lengths", () => {
  it.each([
    [
      "tensors",
      { ...llama, tensorCount: HUGE },
      /expected at most \d+ tensors in a file of this size, got a count of 1152/,
    ],
    ["metadata keys", { ...llama, keyCount: HUGE }, /expected at most \d+ metadata keys in a file of this size/],
    ["more tensors than there are", { ...llama, tensorCount: 12 }, /expected/],
    ["a string", meta("x", [STRING, u64(HUGE)]), /expected the metadata value "x" to fit in the \d+ bytes left/],
    ["a string of 2^64 - 1", meta("x", [STRING, u64(2n ** 64n - 1n)]), /to fit in the \d+ bytes left in the file/],
    ["numbers", meta("x", [ARRAY, array(FLOAT32, [], HUGE)]), /got an array of 11529215\d+ elements/],
    ["strings", meta("x", [ARRAY, array(STRING, [], HUGE)]), /got an array of 11529215\d+ elements/],
    ["bools", meta("x", [ARRAY, array(BOOL, [], HUGE)]), /got an array of 11529215\d+ elements/],
    ["arrays", meta("x", [ARRAY, array(ARRAY, [], HUGE)]), /got an array of 11529215\d+ elements/],
    [
      "a string in an array",
      meta("x", [ARRAY, array(STRING, [str("a"), u64(HUGE), new Uint8Array(8)])]),
      /expected the metadata value "x" to fit in the \d+ bytes left/,
    ],
    ["dimensions", tensor("x", { dims: Array<number>(5).fill(1), type: 0 }), /to have 1 to 4 dimensions, got 5/],
    ["no dimension", tensor("x", { dims: [], type: 0 }), /to have 1 to 4 dimensions, got 0/],
    [
      "a product of dimensions over 2^64",
      tensor("x", { dims: [2n ** 40n, 2n ** 40n, 2n ** 40n], type: 0, data: u8(0) }),
      /expected tensor "x" to have a sensible shape, got \[1099511627776, /,
    ],
    ["a dimension of 0", tensor("x", { dims: [0, 4], type: 0 }), /to have a sensible shape, got \[4, 0\]/],
    ["an offset of 2^60", tensor("x", { dims: [4], type: 0, offset: HUGE }), /expected tensor "x" to end within/],
  ])("%s", async (_, spec, message) => {
    expect(await refusalOf(spec)).toMatch(message);
  });

  /** A file of 2^45 bytes: the header given, then the pattern again and again. */
  function endless(start: Uint8Array, pattern: Uint8Array): ByteSource & { bytesRead: number } {
    return {
      name: "endless.gguf",
      size: 2 ** 45,
      bytesRead: 0,
      read(offset, length) {
        this.bytesRead += length;
        const period = pattern.byteLength;
        const repeated = new Uint8Array(length + 2 * period);
        repeated.set(pattern);
        for (let n = period; n < repeated.byteLength; n *= 2) repeated.copyWithin(n, 0, n);
        const phase = (((offset - start.byteLength) % period) + period) % period;
        const bytes = repeated.slice(phase, phase + length);
        bytes.set(start.subarray(offset, offset + length));
        return Promise.resolve(bytes);
      },
    };
  }
  const begin = (tensors: number, keys: number, ...more: Uint8Array[]) =>
    joined(new TextEncoder().encode("GGUF"), u32(3), u64(tensors), u64(keys), ...more);
  const oneKey = (elementType: number, count: number | bigint) =>
    begin(0, 1, str("x"), u32(ARRAY), u32(elementType), u64(count));

  it.each([
    ["numbers", oneKey(UINT8, 2n ** 44n), u8(0), /header of at most 16777216 bytes/],
    ["strings", oneKey(STRING, 2n ** 40n), u64(0), /header of at most 16777216 bytes/],
    [
      "short strings, nearly as many as fit",
      oneKey(STRING, 1_650_000),
      joined(str("ab"), str("cde")),
      /header of at most/,
    ],
    ["one long string", begin(0, 1, str("x"), u32(STRING), u64(2n ** 44n)), u8(0x61), /header of at most/],
    ["arrays side by side", oneKey(ARRAY, 2n ** 30n), joined(u32(UINT8), u64(0)), /at most 65536 arrays within arrays/],
    [
      "arrays within arrays",
      oneKey(ARRAY, 1),
      joined(u32(ARRAY), u64(1)),
      /at most 65536 arrays within arrays, 8 deep/,
    ],
    ["too many keys", begin(0, 65_537), u8(0), /at most 65536 metadata keys .*, got a count of 65537/],
    ["the same key", begin(0, 65_536), joined(str("k"), u32(UINT8), u8(1)), /metadata key once, got "k" twice/],
    ["tensors of no name", begin(65_536, 0), joined(str(""), u32(1), u64(1), u32(0), u64(0)), /got "" twice/],
  ])("a header without end: %s", async (_, start, pattern, message) => {
    const source = endless(start, pattern);
    expect(await refusal(source)).toMatch(message);
    expect(source.bytesRead).toBeLessThanOrEqual(16 << 20);
  });

  it("65,536 arrays at the top are within the bounds", async () => {
    const arrays = Array.from({ length: 60_000 }, (_, i): GgufSpec["metadata"][number] => [
      `k${i}`,
      ARRAY,
      array(UINT8, []),
    ]);
    await load(bytesSource(buildGguf({ ...llama, metadata: [...llama.metadata, ...arrays] }), "many.gguf"));
  });
});

describe("names and values", () => {
  const twice = <T>(items: T[], index: number) => [...items, ...items.slice(index, index + 1)];

  it.each([
    [
      "a key twice",
      { ...llama, metadata: twice(llama.metadata, 1) },
      /metadata key once, got "llama.block_count" twice/,
    ],
    [
      "a tensor twice",
      { ...llama, tensors: twice(llama.tensors, 0) },
      /tensor name once, got "token_embd.weight" twice/,
    ],
    ["a key not UTF-8", { ...llama, metadata: [[notUtf8, UINT8, u8(1)]] }, /expected a metadata key to be UTF-8/],
    [
      "a tensor's name not UTF-8",
      { ...llama, tensors: [[notUtf8, { dims: [4], type: 0 }]] },
      /tensor's name to be UTF-8/,
    ],
    ["a value not UTF-8", meta("x", [STRING, str(notUtf8)]), /expected the metadata value "x" to be UTF-8/],
    ["a token not UTF-8", meta("x", [ARRAY, array(STRING, [str(notUtf8)])]), /the metadata value "x" to be UTF-8/],
    [
      "tokens that are UTF-8 only together",
      meta("x", [ARRAY, array(STRING, [str(Uint8Array.of(0xc3)), str(Uint8Array.of(0xa9))])]),
      /the metadata value "x" to be UTF-8/,
    ],
    ["a value of unknown type", meta("x", [13, u32(0)]), /to have one of GGUF's types 0 to 12, got 13/],
    ["an array of unknown type", meta("x", [ARRAY, array(99, [])]), /to have one of GGUF's types 0 to 12, got 99/],
    ["a bool of 2", meta("x", [BOOL, u8(2)]), /expected the metadata value "x" to hold bools, 0 or 1/],
    ["an array with a bool of 2", meta("x", [ARRAY, array(BOOL, [u8(2)])]), /to hold bools, 0 or 1/],
    ["an alignment of 0", meta("general.alignment", [UINT32, u32(0)]), /to be a power of two, got 0/],
    ["an alignment of 48", meta("general.alignment", [UINT32, u32(48)]), /to be a power of two, got 48/],
    [
      "an alignment in words",
      meta("general.alignment", [STRING, str("8")]),
      /"general.alignment" to be a whole number/,
    ],
  ] satisfies [string, GgufSpec, RegExp][])("%s", async (_, spec, message) => {
    expect(await refusalOf(spec)).toMatch(message);
  });

  it("names of any length and kind stay on one line of the message", async () => {
    const name = `line\n\u001b[31m${"long".repeat(10_000)}`;
    expect(await refusalOf(tensor(name, { dims: [4], type: 0 }))).toMatch(/got "line\\n\\u001b\[31m(long)+lo…" in/);
  });
});

describe("tensors", () => {
  it.each([
    [
      "a type of ggml that is not read",
      { dims: [256], type: 23 },
      /to be one of F32, .*, got IQ4_XS \(type 23\) \(choose/,
    ],
    ["an unknown type", { dims: [4], type: 77 }, /got type 77/],
    ["K not a multiple of 32", { dims: [33, 2], type: 8 }, /to be a multiple of 32, Q8_0's block size, got 33/],
    ["K not a multiple of 256", { dims: [128, 2], type: 12 }, /to be a multiple of 256, Q4_K's block size, got 128/],
    ["a misaligned offset", { dims: [4], type: 0, offset: 4 }, /to begin at a multiple of 32 bytes, got offset 4/],
    ["bytes of another tensor", { dims: [4], type: 0, offset: 32 }, /no two tensors to share bytes, got tensor "/],
    ["bytes past the end", { dims: [1024], type: 0, data: u8(0) }, /expected tensor "x" to end within the \d+ bytes/],
  ] satisfies [string, TensorSpec, RegExp][])("%s", async (_, spec, message) => {
    expect(await refusalOf(tensor("x", spec))).toMatch(message);
  });
});

describe("models that are no plain Llama", () => {
  const q = (dims: number[]): TensorSpec => ({ dims, type: 0 });

  it.each([
    ["another architecture", meta("general.architecture", [STRING, str("qwen2")]), /architecture "llama", got "qwen2"/],
    ["no architecture", meta("general.architecture", null), /the architecture "llama", got none/],
    ["no layer count", meta("llama.block_count", null), /metadata value "llama.block_count", got none/],
    ["a layer count in words", meta("llama.block_count", [STRING, str("one")]), /whole number .*, got "one"/],
    ["0 layers", meta("llama.block_count", [UINT32, u32(0)]), /"llama.block_count" to be above 0, got 0/],
    [
      "4 billion layers",
      meta("llama.block_count", [UINT32, u32(4e9)]),
      /tensor blk.1.attn_norm.weight of a Llama of 4/,
    ],
    [
      "feed-forward sizes by layer",
      meta("llama.feed_forward_length", [ARRAY, array(UINT32, [u32(12)])]),
      /got an array/,
    ],
    ["no eps", meta("llama.attention.layer_norm_rms_epsilon", null), /layer_norm_rms_epsilon", got none/],
    ["eps NaN", meta("llama.attention.layer_norm_rms_epsilon", [FLOAT32, f32(NaN)]), /to be a number above 0, got NaN/],
    ["heads and key-value heads", meta("llama.attention.head_count_kv", [UINT32, u32(3)]), /got 2 and 3/],
    ["a broken head size", meta("llama.attention.head_count", [UINT32, u32(3)]), /a multiple of 4 .*, got 2\.6/],
    [
      "a head size of no whole vectors",
      meta("llama.attention.key_length", [UINT32, u32(6)]),
      /a multiple of 4 .*, got 6/,
    ],
    [
      "heads too long",
      meta("llama.attention.key_length", [UINT32, u32(256)]),
      /a multiple of 4 and at most 128, got 256/,
    ],
    ["another value size", meta("llama.attention.value_length", [UINT32, u32(8)]), /to be the head size 4, got 8/],
    ["RoPE on part of a head", meta("llama.rope.dimension_count", [UINT32, u32(2)]), /to be the head size 4, got 2/],
    [
      "YaRN",
      meta("llama.rope.scaling.type", [STRING, str("yarn")]),
      /expected the RoPE scaling "none" or "linear".*"yarn"/,
    ],
    [
      "a mixture of experts",
      meta("llama.expert_count", [UINT32, u32(8)]),
      /expected a dense Llama, got a mixture of 8/,
    ],
    [
      "more tokens than rows",
      meta("tokenizer.ggml.tokens", [ARRAY, array(STRING, [str("a")])]),
      /each of 1 tokens, got 5/,
    ],
    ["no end token", meta("tokenizer.ggml.eos_token_id", null), /tokenizer.ggml.eos_token_id, .*, got none/],
    [
      "an end token outside",
      meta("tokenizer.ggml.eos_token_id", [UINT32, u32(5)]),
      /below the vocabulary's size 5, got 5/,
    ],
    [
      "a begin token to add but none",
      withMetadata(meta("tokenizer.ggml.add_bos_token", [BOOL, u8(1)]), "tokenizer.ggml.bos_token_id", null),
      /expected tokenizer.ggml.bos_token_id for a model that adds it, got none/,
    ],
    [
      "no embedding",
      tensor("token_embd.weight", null),
      /the tensor token_embd.weight of a Llama of 1 layers, got none/,
    ],
    ["a missing tensor", tensor("blk.0.ffn_up.weight", null), /the tensor blk.0.ffn_up.weight .*, got none/],
    ["a wrong shape", tensor("blk.0.attn_q.weight", q([8, 4])), /to have the shape \[8, 8\], got \[4, 8\]/],
    ["a transposed shape", tensor("blk.0.attn_k.weight", q([4, 8])), /to have the shape \[4, 8\], got \[8, 4\]/],
    ["another number of dimensions", tensor("output_norm.weight", q([8, 1])), /to have the shape \[8\], got \[1, 8\]/],
    [
      "a bias",
      tensor("blk.0.attn_q.bias", q([8])),
      /expected a Llama without biases, got the tensor "blk.0.attn_q.bias"/,
    ],
    [
      "a tensor too many",
      tensor("blk.0.attn_q_norm.weight", q([4])),
      /only the tensors of a Llama, got "blk.0.attn_q_norm/,
    ],
    ["a layer too many", tensor("blk.1.attn_norm.weight", q([8])), /only the tensors of a Llama, got "blk.1.attn_norm/],
    [
      "RoPE factors of a wrong size",
      tensor("rope_freqs.weight", q([4])),
      /to have the shape \[2\], half the head size/,
    ],
    ["RoPE factors of 0", tensor("rope_freqs.weight", q([2])), /values of rope_freqs.weight to be above 0/],
  ])("%s", async (_, spec, message) => {
    expect(await refusalOf(spec)).toMatch(message);
  });
});

describe("any bytes", () => {
  /** Opens, reads the configuration and packs every small weight: either all of it works or a GgufError is thrown. */
  async function survives(bytes: Uint8Array): Promise<boolean> {
    const before = process.cpuUsage();
    try {
      const gguf = await openGguf(bytesSource(bytes, "fuzz.gguf"));
      await readLlamaConfig(gguf);
      for (const tensor of gguf.tensors.values()) {
        if (tensor.shape.length !== 2) continue;
        for await (const part of packTensor(tensor, 1 << 16)) expect(part.N).toBeGreaterThan(0);
      }
      return true;
    } catch (error) {
      if (!(error instanceof GgufError)) throw error;
      return false;
    } finally {
      expect(process.cpuUsage(before).user / 1e6).toBeLessThan(1);
    }
  }

  it.each([
    ["a Llama built here", buildGguf(llama), 1500],
    ["a file of Python's GGUFWriter", goldenBytes("tiny.gguf"), 150],
  ])("flipped in %s are read or refused", async (_, bytes, rounds) => {
    const random = new TestRandom(7);
    const headerBytes = Math.min(bytes.byteLength, 4000); // flips among the weights alone would find little
    let refused = 0;
    for (let round = 0; round < rounds; round++) {
      const fuzzed = new Uint8Array(bytes);
      for (let flips = 1 + random.integer(4); flips > 0; flips--) {
        const at = random.integer(headerBytes);
        fuzzed[at] = (fuzzed[at] ?? 0) ^ (1 << random.integer(8));
      }
      if (!(await survives(fuzzed))) refused++;
    }
    // Both ends are reached: else the test would prove nothing.
    expect(refused).toBeGreaterThan(rounds / 10);
    expect(refused).toBeLessThan(rounds);
  });

  it("at random after a good beginning are refused", async () => {
    const random = new TestRandom(8);
    for (let round = 0; round < 300; round++) {
      const noise = Uint8Array.from({ length: 600 }, () => (random.integer(3) === 0 ? random.integer(256) : 0));
      const start = joined(new TextEncoder().encode("GGUF"), u32(3), u64(random.integer(5)), u64(random.integer(5)));
      await survives(joined(start, noise));
    }
  });
});
