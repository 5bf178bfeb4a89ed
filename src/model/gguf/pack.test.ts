import { describe, expect, it } from "vitest";
import { bytesSource, type ByteSource } from "./byteSource.ts";
import { blocksGolden, goldenBytes } from "./goldenFiles.ts";
import type { GgufTensor } from "./header.ts";
import { packedBytes, packTensor, unpackPart, type PackedPart } from "./pack.ts";
import { GGML_TYPE_NAMES, GGML_TYPES, rowBytes, type GgmlType } from "./types.ts";

const golden = blocksGolden();

function tensorOf(type: GgmlType, bytes: Uint8Array, N: number, K: number): GgufTensor {
  // Some bytes before the tensor: an offset that is forgotten would show.
  const file = new Uint8Array(7 + bytes.byteLength);
  file.set(bytes, 7);
  const source = bytesSource(file, "test.gguf");
  return { name: "blk.0.attn_q.weight", type, shape: [N, K], source, offset: 7, byteLength: bytes.byteLength };
}

async function packed(tensor: GgufTensor, maxPartBytes = 1 << 27, signal?: AbortSignal): Promise<PackedPart[]> {
  const parts: PackedPart[] = [];
  for await (const part of packTensor(tensor, maxPartBytes, signal)) parts.push(part);
  return parts;
}

async function onlyPart(tensor: GgufTensor): Promise<PackedPart> {
  const [part, ...others] = await packed(tensor);
  if (part === undefined || others.length > 0) throw new Error("expected one part");
  return part;
}

describe.each(GGML_TYPE_NAMES)("%s", (type) => {
  const [N, K] = golden.shapes[type] ?? [0, 0];
  const tensor = tensorOf(type, goldenBytes(`${type}.bin`), N, K);
  const expected = new Float32Array(goldenBytes(`${type}.f32`).buffer);
  if (type === "Q4_0") for (const [i, value] of expected.entries()) expected[i] = value + 0; // no -0: see unpackPart
  const expectedBits = new Uint32Array(expected.buffer);

  it("unpacks to what Python's gguf dequantizes, bit for bit", async () => {
    const part = await onlyPart(tensor);
    expect([part.n0, part.N, part.Np, part.K]).toEqual([0, N, Math.ceil(N / 8) * 8, K]);
    expect(new Uint32Array(unpackPart(part).buffer)).toEqual(expectedBits);
  });

  it("is packed into parts of at most the given size, the same values", async () => {
    const eightRows = packedBytes(type, 8, K);
    const limit = Math.max(eightRows.words, eightRows.scales) + 12;
    const parts = await packed(tensor, limit);
    expect(parts.map(({ n0 }) => n0)).toEqual(N === 19 ? [0, 8, 16] : [0, 8]);
    for (const part of parts) {
      expect({ words: part.words.byteLength, scales: part.scales.byteLength }).toEqual(packedBytes(type, part.N, K));
      expect(Math.max(part.words.byteLength, part.scales.byteLength)).toBeLessThanOrEqual(limit);
      const rows = expectedBits.subarray(part.n0 * K, (part.n0 + part.N) * K);
      expect(new Uint32Array(unpackPart(part).buffer)).toEqual(rows);
    }
  });

  it("leaves the padding zero", async () => {
    const { layout, scaleKind, words, scales, Np } = await onlyPart(tensor);
    const filled = (words: Uint32Array, perOutput: number) =>
      words.some((word, i) => i % (perOutput * Np) >= perOutput * N && word !== 0);
    expect(filled(words, 1)).toBe(false);
    if (layout !== "f32") expect(filled(scales, layout === "q8" && scaleKind === "scaleMin" ? 2 : 1)).toBe(false);
  });
});

describe("layouts, word by word", () => {
  const nibbleBlock = [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

  it("q4: 8 nibbles of one output in a word, outputs next to each other", async () => {
    // Row 1 differs from row 0 in its first nibble alone; d = 1 and 2, m = -1.
    const row = (d: number, first: number) => [0x00, d, 0x00, 0xbc, first, ...nibbleBlock.slice(1)];
    const part = await onlyPart(tensorOf("Q4_1", Uint8Array.from([...row(0x3c, 0x10), ...row(0x40, 0x15)]), 2, 32));
    expect([part.layout, part.scaleKind, part.Np]).toEqual(["q4", "scaleMin", 8]);
    // low nibbles 0,2,4,…,e are k = 0..7, then those of the last 8 bytes; high nibbles are k = 16..31
    expect(Array.from({ length: 4 }, (_, i) => part.words[i * 8])).toEqual([
      0xeca86420, 0xfdb97531, 0xfdb97531, 0xeca86420,
    ]);
    expect(part.words[1]).toBe(0xeca86425);
    expect(Array.from(part.scales.subarray(0, 3))).toEqual([0xbc003c00, 0xbc004000, 0]);
  });

  it("q4: Q4_0 has scales alone, of two blocks in a word", async () => {
    const row = [0x01, 0x00, ...nibbleBlock, 0x00, 0x70, ...nibbleBlock, 0x00, 0x3c, ...nibbleBlock];
    const part = await onlyPart(tensorOf("Q4_0", Uint8Array.from(row), 1, 96));
    expect(part.scaleKind).toBe("scale");
    expect(part.words[0]).toBe(0xeca86420);
    expect([part.scales[0], part.scales[8]]).toEqual([0x70000001, 0x3c00]); // the smallest subnormal, 8192; 1
    expect(Array.from(unpackPart(part)).filter((_, k) => k % 32 === 1)).toEqual([-6 * 2 ** -24, -6 * 8192, -6]);
  });

  it("q4k: super-block scales, then 6-bit scales and minima of two 32-blocks in a word", async () => {
    const block = new Uint8Array(144);
    block.set([0x00, 0x3c, 0x00, 0x38]); // d = 1, dmin = 0.5
    block.set([1, 2, 3, 4, 5, 6, 7, 8, 0x21, 0x43, 0x65, 0x87], 4); // scales 1..4, 1,3,5,7; minima 5..8, 2,4,6,8
    block.set([0x21], 16); // k = 0: 1, k = 32: 2
    const part = await onlyPart(tensorOf("Q4_K", block, 1, 256));
    expect(part.layout).toBe("q4k");
    expect(Array.from(part.scales).filter((_, i) => i % 8 === 0)).toEqual([
      0x38003c00, 0x06020501, 0x08040703, 0x04030201, 0x08070605,
    ]);
    expect([part.words[0], part.words[4 * 8]]).toEqual([1, 2]);
    expect(Array.from(unpackPart(part).subarray(0, 2))).toEqual([1 * 1 - 0.5 * 5, -2.5]);
    expect(unpackPart(part)[32]).toBe(2 * 2 - 0.5 * 6);
  });

  it("q8: 4 signed bytes in a word, pairs of f32 scale and minimum", async () => {
    const quants = Array.from({ length: 32 }, (_, k) => (k % 2 === 0 ? k : 256 - k));
    const part = await onlyPart(tensorOf("Q8_0", Uint8Array.from([0x00, 0x38, ...quants]), 1, 32));
    expect([part.layout, part.scaleKind]).toEqual(["q8", "scaleMin"]);
    expect([part.words[0], part.words[8]]).toEqual([0xfd02ff00, 0xf906fb04]);
    // The minimum is -0, which keeps a zero's sign.
    expect(Array.from(part.scales.subarray(0, 3))).toEqual([0x3f000000, 0x80000000, 0]);
  });

  it("q8: Q6_K has low nibbles, then high bits; the super-block's scale, then a byte for each 16", async () => {
    const block = new Uint8Array(210).fill(0);
    block[0] = 5; // k = 0: low nibble of 37
    block[128] = 2; // and its high bits
    block.set([1, 2, 3, 0xff], 192); // scales of k = 0.., 16.., 32.., 48..: 1, 2, 3, -1
    block.set([0x00, 0x3c], 208);
    const part = await onlyPart(tensorOf("Q6_K", block, 1, 256));
    expect([part.layout, part.scaleKind]).toEqual(["q8", "halves"]);
    expect([part.scales[0], part.scales[8]]).toEqual([0x3c00, 0xff030201]);
    expect([part.words[0], part.words[8 * 32]]).toEqual([5, 2]); // 37, then zeros
    expect(
      Array.from(unpackPart(part))
        .filter((_, k) => k % 16 === 0)
        .slice(0, 4),
    ).toEqual([5, -64, -96, 32]);
  });

  it("f32: bits, and one zero word for scales", async () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const part = await onlyPart(tensorOf("F32", new Uint8Array(values.buffer), 2, 4));
    const asFloats = new Float32Array(part.words.buffer);
    expect([part.layout, Array.from(part.scales)]).toEqual(["f32", [0]]);
    expect(Array.from(asFloats.subarray(8, 11))).toEqual([2, 6, 0]);
  });
});

describe("packTensor", () => {
  const zeros = (type: GgmlType, N: number, K: number) => tensorOf(type, new Uint8Array(N * rowBytes(type, K)), N, K);

  it("cuts parts of nearly the same size, each beginning at a multiple of 8", async () => {
    const parts = await packed(zeros("Q8_0", 1001, 32), 400 * 32);
    expect(parts.map(({ n0, N }) => [n0, N])).toEqual([
      [0, 336],
      [336, 336],
      [672, 329],
    ]);
  });

  it("reads a large part in chunks of a few MB, each byte once", async () => {
    const [N, K] = [3000, 4096];
    const reads: [number, number][] = [];
    const size = N * rowBytes("Q8_0", K);
    const source: ByteSource = {
      name: "large",
      size,
      read(offset, length) {
        reads.push([offset, length]);
        return Promise.resolve(new Uint8Array(length));
      },
    };
    await onlyPart({ name: "t", type: "Q8_0", shape: [N, K], source, offset: 0, byteLength: size });
    let end = 0;
    for (const [offset, length] of reads) {
      expect(offset).toBe(end);
      expect(length).toBeLessThanOrEqual(4 << 20);
      end += length;
    }
    expect([end, reads.length]).toEqual([size, 4]);
  });

  it.each([
    ["one dimension", { ...zeros("F32", 1, 8), shape: [8] }, 1 << 20, /to have 2 dimensions, got \[8\]/],
    ["three dimensions", { ...zeros("F32", 1, 8), shape: [1, 2, 4] }, 1 << 20, /to have 2 dimensions/],
    ["a row not a multiple of 4", zeros("F16", 2, 6), 1 << 20, /to be a multiple of 4, got 6/],
    ["8 rows over the limit", zeros("Q8_0", 9, 64), 511, /to fit in a buffer of 511 bytes, got rows of 64 values/],
  ])("refuses %s", async (_, tensor, limit, message) => {
    await expect(packed(tensor, limit)).rejects.toThrow(message);
    await expect(packed(tensor, limit)).rejects.toMatchObject({ name: "GgufError" });
  });

  it("stops where the signal aborts", async () => {
    const abort = new AbortController();
    abort.abort(new Error("stopped"));
    await expect(packed(zeros("F32", 8, 8), 1 << 20, abort.signal)).rejects.toThrow("stopped");
  });

  it("gives exact sizes by type", () => {
    for (const type of GGML_TYPE_NAMES) {
      const { words, scales } = packedBytes(type, 9, 512);
      const bits = (8 * (words + scales)) / (16 * 512);
      // bits a weight: Q4_0 4 + 1/2, nibbles and f16 pairs 5, Q4_K 4 + 1/8 + 1/2, Q6_K 6 + 1/8 + 1/2, bytes and f32 pairs 10
      const own: Partial<Record<GgmlType, number>> = { Q4_0: 4.5, Q4_1: 5, Q4_K: 4.625, Q6_K: 6.625 };
      const expected = own[type] ?? (GGML_TYPES[type].blockSize === 1 ? 32 : 10);
      expect(bits).toBeCloseTo(expected, 2);
    }
  });
});
