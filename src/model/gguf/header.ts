/**
 * The header of one GGUF file, versions 2 and 3, little-endian: metadata and tensor table
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
 * It is read in chunks that double, so that neither the tensors' data nor a hostile length is ever loaded.
 */
import type { ByteSource } from "./byteSource.ts";
import { Cursor, Underflow } from "./cursor.ts";
import { GgufError } from "./ggufError.ts";
import { countValue, metadataBudget, quoted, readKeyValue, type GgufValue, type Metadata } from "./metadata.ts";
import { describeTypeId, GGML_TYPE_NAMES, GGML_TYPES, ggmlTypeById, rowBytes, type GgmlType } from "./types.ts";

export interface GgufTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** row-major: [N (out), K (in)] = GGUF's dimensions reversed */
  readonly shape: readonly number[];
  readonly source: ByteSource;
  /** of the first byte, in the source */
  readonly offset: number;
  readonly byteLength: number;
}

export interface Header {
  readonly version: number;
  readonly metadata: Metadata;
  /** in the file's order */
  readonly tensors: readonly GgufTensor[];
}

// Most headers fit; a vocabulary that does not is parsed twice.
const FIRST_CHUNK = 1 << 22;
// Llama 3's header, with 128,256 tokens and 280,147 merges, has 8 MB.
const MAX_HEADER_BYTES = 16 << 20;
const MAX_ENTRIES = 1 << 16;
const SMALLEST_KEY_VALUE = 13; // key length, type, a one-byte value
const SMALLEST_TENSOR_INFO = 32; // name length, dimension count, one dimension, type, offset
const DEFAULT_ALIGNMENT = 32;
const MAGIC = 0x46554747; // "GGUF"

export async function readHeader(source: ByteSource): Promise<Header> {
  const reader = new HeaderReader(source);
  const { version, tensorCount, keyCount } = await reader.entry((cursor) => readCounts(cursor, source));
  const metadata = new Map<string, GgufValue>();
  const budget = metadataBudget();
  for (let i = 0; i < keyCount; i++) {
    const [key, value] = await reader.entry((cursor) => readKeyValue(cursor, budget));
    if (metadata.has(key)) throw new GgufError(`expected every metadata key once, got ${quoted(key)} twice`);
    metadata.set(key, value);
  }
  const infos = new Map<string, TensorInfo>();
  for (let i = 0; i < tensorCount; i++) {
    const info = await reader.entry(readTensorInfo);
    if (infos.has(info.name)) throw new GgufError(`expected every tensor name once, got ${quoted(info.name)} twice`);
    infos.set(info.name, info);
  }
  const alignment = readAlignment(metadata);
  const dataStart = Math.ceil(reader.position / alignment) * alignment;
  const tensors = Array.from(infos.values(), ({ offset, ...tensor }) => ({
    ...tensor,
    source,
    offset: dataStart + offset,
  }));
  checkPlaces(tensors, source, alignment, dataStart);
  return { version, metadata, tensors };
}

/** Parses entry by entry from the bytes read so far; an entry that does not fit is parsed again with more bytes. */
class HeaderReader {
  private bytes = new Uint8Array(0);
  /** where in the file `bytes` begins: the next entry */
  position = 0;
  private readonly source: ByteSource;

  constructor(source: ByteSource) {
    this.source = source;
  }

  async entry<T>(parse: (cursor: Cursor) => T): Promise<T> {
    for (;;) {
      const cursor = new Cursor(this.bytes, this.position, this.source.size);
      try {
        const value = parse(cursor);
        this.bytes = this.bytes.subarray(cursor.consumed);
        this.position += cursor.consumed;
        return value;
      } catch (error) {
        if (!(error instanceof Underflow)) throw error;
        await this.readMore(error.bytes);
      }
    }
  }

  private async readMore(needed: number): Promise<void> {
    const from = this.position + this.bytes.byteLength;
    const { name, size } = this.source;
    if (from + needed > size) {
      throw new GgufError(
        `expected ${needed} more bytes of the header of ${name}, got the end of the file at ${size} bytes (it is truncated; download it again)`,
      );
    }
    if (from + needed > MAX_HEADER_BYTES) {
      throw new GgufError(
        `expected a GGUF header of at most ${MAX_HEADER_BYTES} bytes, got a longer one in ${name} (the file is damaged)`,
      );
    }
    const length = Math.min(Math.max(needed, from, FIRST_CHUNK), size - from, MAX_HEADER_BYTES - from);
    const more = await this.source.read(from, length);
    const joined = new Uint8Array(this.bytes.byteLength + length);
    joined.set(this.bytes);
    joined.set(more, this.bytes.byteLength);
    this.bytes = joined;
  }
}

function readCounts(cursor: Cursor, source: ByteSource): { version: number; tensorCount: number; keyCount: number } {
  if (source.size < 24) {
    throw new GgufError(`expected a GGUF file, got ${source.size} bytes in ${source.name} (it is truncated or empty)`);
  }
  const magic = cursor.u32();
  if (magic !== MAGIC) {
    const bytes = [0, 8, 16, 24].map((shift) => ((magic >>> shift) & 0xff).toString(16).padStart(2, "0")).join(" ");
    throw new GgufError(
      `expected a GGUF file, beginning with the bytes 47 47 55 46 ("GGUF"), got ${bytes} in ${source.name} (choose a file in GGUF format)`,
    );
  }
  const version = cursor.u32();
  if (version !== 0 && version % 0x10000 === 0) {
    throw new GgufError(
      `expected a little-endian GGUF file, got a big-endian one in ${source.name} (convert it with gguf-convert-endian of the Python package gguf)`,
    );
  }
  if (version !== 2 && version !== 3) {
    throw new GgufError(
      `expected GGUF version 2 or 3, got version ${version} in ${source.name} (convert the model again with a current llama.cpp)`,
    );
  }
  const tensorCount = readCount(cursor, "tensors", SMALLEST_TENSOR_INFO);
  const keyCount = readCount(cursor, "metadata keys", SMALLEST_KEY_VALUE);
  return { version, tensorCount, keyCount };
}

function readCount(cursor: Cursor, what: string, smallest: number): number {
  const count = cursor.size();
  if (count > MAX_ENTRIES || count * smallest > cursor.remaining) {
    const most = Math.min(MAX_ENTRIES, Math.floor(cursor.remaining / smallest));
    throw new GgufError(
      `expected at most ${most} ${what} in a file of this size, got a count of ${count} (the file is truncated or damaged; download it again)`,
    );
  }
  return count;
}

interface TensorInfo {
  readonly name: string;
  readonly type: GgmlType;
  readonly shape: readonly number[];
  /** from the start of the data */
  readonly offset: number;
  readonly byteLength: number;
}

function readTensorInfo(cursor: Cursor): TensorInfo {
  const name = cursor.string("a tensor's name");
  const what = `tensor ${quoted(name)}`;
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > 4) {
    throw new GgufError(`expected ${what} to have 1 to 4 dimensions, got ${dimensions} (the file is damaged)`);
  }
  const shape = Array.from({ length: dimensions }, () => cursor.size()).reverse();
  const typeId = cursor.u32();
  const offset = cursor.size();
  const type = ggmlTypeById(typeId);
  if (type === undefined) {
    throw new GgufError(
      `expected ${what} to be one of ${GGML_TYPE_NAMES.join(", ")}, got ${describeTypeId(typeId)} (choose another quantization of this model, such as Q4_K_M or Q8_0)`,
    );
  }
  const K = shape.at(-1) ?? 0;
  if (K % GGML_TYPES[type].blockSize !== 0) {
    throw new GgufError(
      `expected the row length of ${what} to be a multiple of ${GGML_TYPES[type].blockSize}, ${type}'s block size, got ${K} (the file is damaged)`,
    );
  }
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const byteLength = rows * rowBytes(type, K);
  // Products of sizes up to 2^64 stay far below Number's range, so that an absurd one is seen here.
  if (shape.some((size) => size < 1) || !Number.isSafeInteger(byteLength)) {
    throw new GgufError(`expected ${what} to have a sensible shape, got [${shape.join(", ")}] (the file is damaged)`);
  }
  return { name, type, shape, offset, byteLength };
}

function readAlignment(metadata: Metadata): number {
  const alignment = countValue(metadata, "general.alignment") ?? DEFAULT_ALIGNMENT;
  if (alignment < 1 || !Number.isInteger(Math.log2(alignment))) {
    throw new GgufError(`expected general.alignment to be a power of two, got ${alignment} (the file is damaged)`);
  }
  return alignment;
}

function checkPlaces(tensors: readonly GgufTensor[], source: ByteSource, alignment: number, dataStart: number): void {
  let before: GgufTensor | undefined;
  for (const tensor of [...tensors].sort((a, b) => a.offset - b.offset)) {
    const what = `tensor ${quoted(tensor.name)}`;
    const end = tensor.offset + tensor.byteLength;
    if (end > source.size) {
      throw new GgufError(
        `expected ${what} to end within the ${source.size} bytes of ${source.name}, got an end at ${end} (the file is truncated; download it again)`,
      );
    }
    if ((tensor.offset - dataStart) % alignment !== 0) {
      throw new GgufError(
        `expected ${what} to begin at a multiple of ${alignment} bytes, got offset ${tensor.offset - dataStart} (the file is damaged)`,
      );
    }
    if (before !== undefined && tensor.offset < before.offset + before.byteLength) {
      throw new GgufError(
        `expected no two tensors to share bytes, got ${what} beginning inside ${quoted(before.name)} (the file is damaged)`,
      );
    }
    before = tensor;
  }
}
