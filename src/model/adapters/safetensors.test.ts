import { describe, expect, test } from "vitest";
import { readSafetensors, SafetensorsError, writeSafetensors } from "./safetensors.ts";

const encoder = new TextEncoder();

/** A file with this header and this many bytes of data. */
function file(header: string, dataBytes: number, length = encoder.encode(header).length): Uint8Array {
  const json = encoder.encode(header);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (begin: number, end: number, shape = "[2]", dtype = "F32") =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe("safetensors", () => {
  test("what is written is read back, in the order of the names", () => {
    const tensors = new Map([
      ["b", { shape: [2, 2], data: Float32Array.of(1, -0, Infinity, 1e-40) }],
      ["a", { shape: [3], data: Float32Array.of(4, 5, 6) }],
      ["empty", { shape: [0, 4], data: new Float32Array() }],
    ]);
    const bytes = writeSafetensors(tensors, { format: "pt" });
    const read = readSafetensors(bytes);
    expect([...read.keys()].sort()).toEqual(["a", "b", "empty"]);
    for (const [name, tensor] of tensors) {
      expect(read.get(name)).toEqual(tensor);
    }
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerLength % 8).toBe(0);
    const reversed = writeSafetensors(new Map([...tensors].reverse()), { format: "pt" });
    expect(reversed).toEqual(bytes);
  });

  test("a view into a larger buffer is read from where it begins", () => {
    const bytes = writeSafetensors(new Map([["x", { shape: [1], data: Float32Array.of(7) }]]), {});
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(readSafetensors(larger.subarray(3)).get("x")?.data).toEqual(Float32Array.of(7));
  });

  test("bf16 and f16, subnormals and infinities among them", () => {
    const header = `{"h":${entry(0, 4, "[2]", "F16")},"b":${entry(4, 10, "[3]", "BF16")}}`;
    const bytes = file(header, 10);
    const view = new DataView(bytes.buffer, bytes.length - 10);
    [0x0001, 0xfc00, 0x3f80, 0xc049, 0x0001].forEach((bits, i) => view.setUint16(2 * i, bits, true));
    const tensors = readSafetensors(bytes);
    expect(tensors.get("h")?.data).toEqual(Float32Array.of(2 ** -24, -Infinity));
    expect(tensors.get("b")?.data).toEqual(Float32Array.of(1, -3.140625, 2 ** -133));
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["no bytes", new Uint8Array(3), /got only 3 bytes/],
    ["a header length past the end", file("{}", 0, 1e6), /got a length of 1000000/],
    ["an absurd header length", new Uint8Array(16).fill(255), /got a length of 18446744073709551615/],
    ["a header that is no JSON", file("{]", 0), /expected a JSON header/],
    ["a header that is a list", file("[]", 0), /JSON object/],
    [
      "a dtype that is not read",
      file(`{"x":${entry(0, 8, "[1]", "F64")}}`, 8),
      /tensor "x" to be one of F32.*got "F64"/,
    ],
    ["a dtype from Object's prototype", file(`{"x":${entry(0, 8, "[1]", "toString")}}`, 8), /got "toString"/],
    ["no shape", file(`{"x":{"dtype":"F32","data_offsets":[0,8]}}`, 8), /a shape and two data_offsets/],
    ["a negative size", file(`{"x":${entry(0, 8, "[-2]")}}`, 8), /whole numbers/],
    ["bytes that are not the shape's", file(`{"x":${entry(0, 8, "[3]")}}`, 8), /expected 12 bytes .* got 8/],
    ["an absurd shape", file(`{"x":${entry(0, 8, "[1e15,1e15]")}}`, 8), /got 8/],
    ["truncated data", file(`{"x":${entry(0, 8)}}`, 4), /got 0 to 8 .*truncated/],
    ["overlapping tensors", file(`{"x":${entry(0, 8)},"y":${entry(4, 12)}}`, 12), /"y" at byte 8 of 12, got 4 to 12/],
    ["a gap", file(`{"x":${entry(0, 8)},"y":${entry(12, 20)}}`, 20), /"y" at byte 8/],
    ["bytes after the last tensor", file(`{"x":${entry(0, 8)}}`, 9), /expected 8 bytes of tensors, got 9/],
    ["an end before the beginning", file(`{"x":${entry(8, 0)}}`, 8), /got -8/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => readSafetensors(bytes)).toThrow(message);
  });

  test("does not write data that is not its shape's", () => {
    const tensors = new Map([["x", { shape: [2, 2], data: new Float32Array(3) }]]);
    expect(() => writeSafetensors(tensors, {})).toThrow(/expected 2×2 values/);
  });
});
