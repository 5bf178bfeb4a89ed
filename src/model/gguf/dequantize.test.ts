import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { f16ToF32Bits, f16ToNumber } from "./blocks.ts";
import { bytesSource } from "./byteSource.ts";
import { dequantize, readTensorF32 } from "./dequantize.ts";
import { blocksGolden, goldenBytes } from "./goldenFiles.ts";
import { GGML_TYPE_NAMES } from "./types.ts";

const golden = blocksGolden();
const isFinite16 = (bits: number) => (bits & 0x7c00) !== 0x7c00;
const allHalves = Array.from({ length: 0x10000 }, (_, bits) => bits);

describe.each(GGML_TYPE_NAMES)("%s", (type) => {
  const [N, K] = golden.shapes[type] ?? [0, 0];
  const blocks = goldenBytes(`${type}.bin`);
  const expected = goldenBytes(`${type}.f32`);

  it("dequantizes bit for bit as Python's gguf", () => {
    expect(expected.byteLength).toBe(N * K * 4);
    expect(N * K).toBeGreaterThan(600);
    const bits = new Uint32Array(dequantize(type, blocks, N * K).buffer);
    expect(bits).toEqual(new Uint32Array(expected.buffer));
  });

  it("reads blocks at any byte of a larger buffer", () => {
    const larger = new Uint8Array(blocks.byteLength + 8);
    larger.set(blocks, 3);
    const values = dequantize(type, larger.subarray(3, 3 + blocks.byteLength), N * K);
    expect(new Uint8Array(values.buffer)).toEqual(expected);
  });

  it("refuses bytes that are not whole blocks", () => {
    expect(() => dequantize(type, blocks.subarray(1), N * K)).toThrow(/^expected whole blocks of .*, got \d+ bytes$/);
  });
});

describe("f16", () => {
  it("becomes the f32 that numpy makes of it, for every finite value", () => {
    const bits = Uint32Array.from(allHalves.filter(isFinite16), f16ToF32Bits);
    expect(createHash("sha256").update(bits).digest("hex")).toBe(golden.finiteF16Sha256);
  });

  it("is the same number by either way", () => {
    const f32 = new Float32Array(Uint32Array.from(allHalves, f16ToF32Bits).buffer);
    expect(allHalves.filter((bits) => !Object.is(f32[bits], f16ToNumber(bits)))).toEqual([]);
  });
});

it("readTensorF32 reads a whole tensor of any number of dimensions", async () => {
  const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const source = bytesSource(new Uint8Array(values.buffer), "values");
  const tensor = { name: "t", type: "F32", shape: [1, 2, 3], source, offset: 8, byteLength: 24 } as const;
  expect(await readTensorF32(tensor)).toEqual(values.subarray(2));
});
