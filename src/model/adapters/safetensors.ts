/**
 * The safetensors format: 8 bytes little-endian header length, a JSON header
 * {name: {dtype, shape, data_offsets: [begin, end]}, __metadata__: {…}}, then the tensors' bytes without gaps.
 * Read F32, F16 and BF16; write F32. https://huggingface.co/docs/safetensors
 */
import { f16ToNumber } from "../gguf/blocks.ts";

export interface SafeTensor {
  readonly shape: readonly number[];
  /** Row-major; as many elements as the shape says. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** A file that is no sound safetensors file; one sentence. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

const DTYPES = {
  F32: { bytes: 4, read: (view: DataView, at: number) => view.getFloat32(at, true) },
  F16: { bytes: 2, read: (view: DataView, at: number) => f16ToNumber(view.getUint16(at, true)) },
  BF16: { bytes: 2, read: readBf16 },
} as const;
type Dtype = keyof typeof DTYPES;

/** The format's own limit on headers; a hostile length is refused before anything of that size is touched. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * All tensors of a file, by name, in the order of their bytes.
 * @throws SafetensorsError naming the tensor and what is wrong
 */
export function readSafetensors(bytes: Uint8Array): ReadonlyMap<string, SafeTensor> {
  const { header, dataStart } = readHeader(bytes);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => readEntry(name, value))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  const dataBytes = bytes.byteLength - dataStart;
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected || end > dataBytes) {
      throw new SafetensorsError(
        `expected tensor ${quoted(name)} at byte ${expected} of ${dataBytes}, got ${begin} to ${end} (truncated, overlapping or with a gap: save the file again)`,
      );
    }
    expected = end;
  }
  if (expected !== dataBytes) {
    throw new SafetensorsError(`expected ${expected} bytes of tensors, got ${dataBytes} (the file is damaged)`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataStart, dataBytes);
  return new Map(
    entries.map(({ name, dtype, shape, begin, end }) => {
      const { bytes: size, read } = DTYPES[dtype];
      const data = new Float32Array((end - begin) / size);
      for (let i = 0; i < data.length; i++) {
        data[i] = read(view, begin + i * size);
      }
      return [name, { shape, data }];
    }),
  );
}

/** The texts that stand beside the tensors; empty where there are none. @throws SafetensorsError */
export function readMetadata(bytes: Uint8Array): Readonly<Record<string, string>> {
  const { __metadata__: metadata } = readHeader(bytes).header as { readonly __metadata__?: unknown };
  return Object.fromEntries(
    Object.entries(isObject(metadata) ? metadata : {}).filter((entry): entry is [string, string] => {
      return typeof entry[1] === "string";
    }),
  );
}

/** A file of f32 tensors, in the order of their names, so that equal tensors give equal bytes. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of sorted) {
    if (elementCount(shape) !== data.length) {
      throw new SafetensorsError(
        `expected ${shape.join("×")} values in tensor ${quoted(name)}, got ${data.length} (shape and data disagree)`,
      );
    }
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Padded with spaces so that the tensors begin on a multiple of 8, as the reference writer does.
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + offset).fill(
    0x20,
    LENGTH_BYTES,
    LENGTH_BYTES + headerBytes,
  );
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerBytes;
  for (const [, { data }] of sorted) {
    for (const value of data) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return bytes;
}

function readHeader(bytes: Uint8Array): { header: object; dataStart: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < LENGTH_BYTES) {
    throw new SafetensorsError(
      `expected a safetensors file, got only ${bytes.byteLength} bytes (the file is truncated)`,
    );
  }
  const length = view.getBigUint64(0, true);
  if (length > BigInt(Math.min(MAX_HEADER_BYTES, bytes.byteLength - LENGTH_BYTES))) {
    throw new SafetensorsError(
      `expected a safetensors header within the file's ${bytes.byteLength} bytes, got a length of ${length} (truncated, or another format)`,
    );
  }
  const dataStart = LENGTH_BYTES + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, dataStart)));
  } catch (error) {
    throw new SafetensorsError("expected a JSON header in the safetensors file, got other bytes (another format?)", {
      cause: error,
    });
  }
  if (!isObject(header)) {
    throw new SafetensorsError("expected a safetensors header that is a JSON object, got another value");
  }
  return { header, dataStart };
}

function readEntry(name: string, value: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = isObject(value) ? (value as Readonly<Record<string, unknown>>) : {};
  if (!isDtype(dtype)) {
    const known = Object.keys(DTYPES).join(", ");
    throw new SafetensorsError(
      `expected tensor ${quoted(name)} to be one of ${known}, got ${JSON.stringify(dtype)} (save it as float32)`,
    );
  }
  if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    throw new SafetensorsError(
      `expected tensor ${quoted(name)} to have a shape and two data_offsets of whole numbers, got others`,
    );
  }
  const [begin = 0, end = 0] = offsets;
  const expected = elementCount(shape) * DTYPES[dtype].bytes;
  if (end - begin !== expected) {
    throw new SafetensorsError(
      `expected ${expected} bytes for tensor ${quoted(name)} of shape ${shape.join("×")}, got ${end - begin} (the file is damaged)`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function readBf16(view: DataView, at: number): number {
  bits[0] = view.getUint16(at, true) << 16;
  return floats[0] ?? 0;
}
const bits = new Uint32Array(1);
const floats = new Float32Array(bits.buffer);

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(DTYPES, value);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

/** Names come from a file: shown on one line and not at any length. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
