import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  array,
  ARRAY,
  buildGguf,
  joined,
  llamaSpec,
  str,
  STRING,
  u32,
  u64,
  UINT32,
  withMetadata,
} from "./buildGguf.ts";
import { bytesSource, type ByteSource } from "./byteSource.ts";
import { readTensorF32 } from "./dequantize.ts";
import { goldenBytes, splitGolden, tinyGolden } from "./goldenFiles.ts";
import { openGguf, type GgufFile } from "./gguf.ts";
import type { GgufValue } from "./metadata.ts";

const open = (bytes: Uint8Array, name = "test.gguf") => openGguf(bytesSource(bytes, name));

/** As Python's golden files have them: arrays of any kind as plain ones, 64-bit numbers as text. */
function plain(value: GgufValue | undefined): unknown {
  if (typeof value !== "object") return value;
  return Array.from(value as Iterable<GgufValue>, plain);
}

async function expectTensors(gguf: GgufFile, golden: ReturnType<typeof splitGolden>["tensors"]): Promise<void> {
  expect([...gguf.tensors.keys()].sort()).toEqual(Object.keys(golden).sort());
  for (const [name, { sha256, file, ...expected }] of Object.entries(golden)) {
    const tensor = gguf.tensors.get(name);
    if (tensor === undefined) throw new Error(`expected ${name}`);
    expect(tensor).toMatchObject({ ...expected, name, source: { name: file } });
    const hash = createHash("sha256")
      .update(await readTensorF32(tensor))
      .digest("hex");
    expect(hash, name).toBe(sha256);
  }
}

describe("a file of Python's GGUFWriter", () => {
  const golden = tinyGolden();

  it("gives every kind of metadata", async () => {
    const { metadata, version, name, fileBytes } = await open(goldenBytes("tiny.gguf"), "tiny.gguf");
    expect([version, name, fileBytes]).toEqual([3, "tiny.gguf", goldenBytes("tiny.gguf").byteLength]);
    for (const [key, expected] of Object.entries(golden.scalars)) {
      const value = metadata.get(`test.${key}`);
      expect(key.includes("int64") ? String(value) : value, key).toBe(expected);
    }
    for (const [key, expected] of Object.entries(golden.arrays)) {
      expect(plain(metadata.get(`test.${key}`)), key).toEqual(key === "bools" ? expected.map(Number) : expected);
    }
    expect(metadata.get("test.int64")).toBe(-(2 ** 50));
    expect(metadata.get("test.uint64.large")).toBe(2n ** 64n - 1n);
    expect(metadata.get("test.uint64s")).toEqual(BigUint64Array.of(1n, 2n ** 64n - 1n));
    expect(metadata.get("tokenizer.ggml.scores")).toBeInstanceOf(Float32Array);
    expect(metadata.get("general.alignment")).toBe(64);
  });

  it("gives tokens exactly, a byte order mark and the empty one too", async () => {
    const { metadata } = await open(goldenBytes("tiny.gguf"));
    const tokens = plain(metadata.get("tokenizer.ggml.tokens"));
    expect(tokens).toHaveLength(40);
    expect((tokens as string[]).slice(0, 8)).toEqual(["<unk>", "<s>", "</s>", "\ufeff", "é", "👩‍👧", "", "t0"]);
  });

  it("gives strings with a byte order mark first", async () => {
    let spec = withMetadata(llamaSpec(), "one", [STRING, str("\ufeffa")]);
    spec = withMetadata(spec, "many", [ARRAY, array(STRING, [str("\ufeff"), str("b")])]);
    const { metadata } = await open(buildGguf(spec));
    expect([metadata.get("one"), metadata.get("many")]).toEqual(["\ufeffa", ["\ufeff", "b"]]);
  });

  it("gives types, shapes, places and values of all tensors", async () => {
    await expectTensors(await open(goldenBytes("tiny.gguf"), "tiny.gguf"), golden.tensors);
  });

  it("is read the same as version 2, whose layout is that of version 3", async () => {
    const bytes = goldenBytes("tiny.gguf");
    bytes[4] = 2;
    const gguf = await open(bytes, "tiny.gguf");
    expect(gguf.version).toBe(2);
    await expectTensors(gguf, golden.tensors);
  });
});

describe("a split set of Python's GGUFWriter", () => {
  const first = "split-00001-of-00002.gguf";
  const sibling = (name: string) => Promise.resolve(bytesSource(goldenBytes(name), name));

  it("is one model with the tensors of both files", async () => {
    const gguf = await openGguf(bytesSource(goldenBytes(first), first), sibling);
    await expectTensors(gguf, splitGolden().tensors);
    expect(gguf.fileBytes).toBe(goldenBytes(first).byteLength + goldenBytes("split-00002-of-00002.gguf").byteLength);
    expect(gguf.metadata.get("general.name")).toBe("tiny");
  });

  it.each([
    ["the second file", "split-00002-of-00002.gguf", "split-00002-of-00002.gguf", sibling, /expected the first of 2/],
    ["a renamed first file", first, "model.gguf", sibling, /to be named …-00001-of-00002\.gguf, got model\.gguf/],
    ["the first file alone", first, first, undefined, /expected a model in one file, got the first of 2/],
    [
      "the first file twice",
      first,
      first,
      (name: string) => Promise.resolve(bytesSource(goldenBytes(first), name)),
      /expected split-00002-of-00002\.gguf to be file 2 of 2, got file 1 of 2/,
    ],
    [
      "a file of another model",
      first,
      first,
      (name: string) => Promise.resolve(bytesSource(goldenBytes("tiny.gguf"), name)),
      /to be file 2 of 2, got file 1 of 1/,
    ],
  ])("refuses %s", async (_, file, name, openSibling, message) => {
    const opened = openGguf(bytesSource(goldenBytes(file), name), openSibling);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ name: "GgufError" });
  });

  it("passes on why a file cannot be opened", async () => {
    const missing = () => Promise.reject(new Error("no such file"));
    await expect(openGguf(bytesSource(goldenBytes(first), first), missing)).rejects.toThrow("no such file");
  });

  const part = (no: number, tensors: number, names: string[]) =>
    buildGguf({
      metadata: [
        ["split.no", 2, Uint8Array.of(no, 0)],
        ["split.count", 2, Uint8Array.of(2, 0)],
        ["split.tensors.count", 5, u32(tensors)],
      ],
      tensors: names.map((name) => [name, { dims: [4], type: 0 }]),
    });

  it.each([
    ["a tensor in both files", 2, ["a"], ["a"], /every tensor once in a split set, got "a" twice/],
    ["a wrong number of tensors", 3, ["a"], ["b"], /expected 3 tensors in the files of m-00001-of-00002\.gguf, got 2/],
  ])("refuses %s", async (_, count, one, two, message) => {
    const source = bytesSource(part(0, count, one), "m-00001-of-00002.gguf");
    const other = (name: string) => Promise.resolve(bytesSource(part(1, count, two), name));
    await expect(openGguf(source, other)).rejects.toThrow(message);
  });
});

describe("reading by ranges", () => {
  it("never reads the tensors of a large file", async () => {
    const header = buildGguf({
      ...llamaSpec(),
      tensors: [["token_embd.weight", { dims: [2 ** 14, 2 ** 20], type: 1, data: new Uint8Array(0) }]],
    });
    let read = 0;
    const source: ByteSource = {
      name: "large.gguf",
      size: header.byteLength + 2 ** 35,
      read(offset, length) {
        read += length;
        const bytes = new Uint8Array(length);
        bytes.set(header.subarray(offset, offset + length));
        return Promise.resolve(bytes);
      },
    };
    expect((await openGguf(source)).tensors.get("token_embd.weight")?.byteLength).toBe(2 ** 35);
    expect(read).toBeLessThanOrEqual(4 << 20);
  });

  it("reads a header of several chunks whose values lie across their ends", async () => {
    const text = (length: number, seed: number) =>
      String.fromCharCode(...Array.from({ length }, (_, i) => 97 + ((i * seed) % 26)));
    const long = text(70_000, 7); // longer than the run of strings that are decoded together
    const strings = Array.from({ length: 60 }, (_, i) => text(60_000 + i, i + 1)).concat(long, "é".repeat(50_000), "");
    let spec = llamaSpec();
    for (let i = 0; i < 4; i++) spec = withMetadata(spec, `strings.${i}`, [ARRAY, array(STRING, strings.map(str))]);
    const bytes = buildGguf(spec);
    expect(bytes.byteLength).toBeGreaterThan(14e6);
    const { metadata, tensors } = await open(bytes);
    for (let i = 0; i < 4; i++) expect(metadata.get(`strings.${i}`)).toEqual(strings);
    expect(tensors.size).toBe(11);
  });

  it("reads the vocabulary of a Llama 3 fast", async () => {
    const tokens = Array.from({ length: 128_256 }, (_, i) => str(`Ġ${(i * 7919).toString(36)}`));
    const merges = Array.from({ length: 280_147 }, (_, i) => str(`Ġ${(i * 31).toString(36)} ${i.toString(36)}`));
    let spec = withMetadata(llamaSpec(), "tokenizer.ggml.tokens", [ARRAY, array(STRING, tokens)]);
    spec = withMetadata(spec, "tokenizer.ggml.merges", [ARRAY, array(STRING, merges)]);
    const bytes = buildGguf(spec);
    const before = process.cpuUsage();
    const { metadata } = await open(bytes);
    // Processor time, so that other work on the machine does not fail it; alone on two cores it is 0.1 to 0.2 s.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(1);
    expect(metadata.get("tokenizer.ggml.tokens")).toHaveLength(128_256);
    expect((metadata.get("tokenizer.ggml.merges") as string[]).at(-1)).toBe(
      `Ġ${(280_146 * 31).toString(36)} ${(280_146).toString(36)}`,
    );
  });

  it("takes general.alignment, and a file without metadata or tensors", async () => {
    const spec = { ...withMetadata(llamaSpec(), "general.alignment", [UINT32, u32(256)]), alignment: 256 };
    const offsets = Array.from((await open(buildGguf(spec))).tensors.values(), ({ offset }) => offset % 256);
    expect(new Set(offsets)).toEqual(new Set([0]));
    const empty = joined(new TextEncoder().encode("GGUF"), u32(3), u64(0), u64(0));
    expect((await open(empty)).tensors.size).toBe(0);
  });
});
