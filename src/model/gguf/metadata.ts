/** GGUF metadata: the values of a file's key-value pairs, and typed access to them. */
import type { Cursor } from "./cursor.ts";
import { GgufError } from "./ggufError.ts";

type NumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** An array of bools is a Uint8Array of 0 and 1. */
export type GgufArray = NumericArray | readonly string[] | readonly GgufArray[];

/** 64-bit integers are numbers where a number holds them exactly, else bigints. */
export type GgufValue = number | bigint | boolean | string | GgufArray;

export type Metadata = ReadonlyMap<string, GgufValue>;

// Models do not nest arrays; these bounds keep a hostile file from filling memory with millions of empty ones.
const MAX_NESTED_ARRAYS = 1 << 16;
const MAX_NESTING = 8;

/** What one file may still use up; a value that is parsed twice counts twice. */
export interface MetadataBudget {
  nestedArrays: number;
}

export function metadataBudget(): MetadataBudget {
  return { nestedArrays: MAX_NESTED_ARRAYS };
}

const TYPE_BOOL = 7;
const TYPE_STRING = 8;
const TYPE_ARRAY = 9;

interface NumericType {
  readonly bytes: number;
  readonly one: (cursor: Cursor) => number | bigint;
  // Typed arrays take the machine's byte order: little-endian on every machine that has WebGPU.
  readonly many: (buffer: ArrayBuffer) => NumericArray;
}

const exact = (value: bigint): number | bigint => (BigInt.asIntN(54, value) === value ? Number(value) : value);

const NUMERIC_TYPES: ReadonlyMap<number, NumericType> = new Map<number, NumericType>([
  [0, { bytes: 1, one: (c) => c.u8(), many: (b) => new Uint8Array(b) }],
  [1, { bytes: 1, one: (c) => c.i8(), many: (b) => new Int8Array(b) }],
  [2, { bytes: 2, one: (c) => c.u16(), many: (b) => new Uint16Array(b) }],
  [3, { bytes: 2, one: (c) => c.i16(), many: (b) => new Int16Array(b) }],
  [4, { bytes: 4, one: (c) => c.u32(), many: (b) => new Uint32Array(b) }],
  [5, { bytes: 4, one: (c) => c.i32(), many: (b) => new Int32Array(b) }],
  [6, { bytes: 4, one: (c) => c.f32(), many: (b) => new Float32Array(b) }],
  [10, { bytes: 8, one: (c) => exact(c.u64()), many: (b) => new BigUint64Array(b) }],
  [11, { bytes: 8, one: (c) => exact(c.i64()), many: (b) => new BigInt64Array(b) }],
  [12, { bytes: 8, one: (c) => c.f64(), many: (b) => new Float64Array(b) }],
]);

/** One key-value pair at the cursor. */
export function readKeyValue(cursor: Cursor, budget: MetadataBudget): [key: string, value: GgufValue] {
  const key = cursor.string("a metadata key");
  const type = cursor.u32();
  const what = `the metadata value ${quoted(key)}`;
  if (type === TYPE_STRING) return [key, cursor.string(what)];
  if (type === TYPE_BOOL) return [key, readBool(cursor, what)];
  if (type === TYPE_ARRAY) return [key, readArray(cursor, what, 1, budget)];
  const numeric = NUMERIC_TYPES.get(type);
  if (numeric === undefined) throw unknownType(what, type);
  return [key, numeric.one(cursor)];
}

// The fewest bytes an element takes: a string its length, an array its type and length.
const SMALLEST_ELEMENT: ReadonlyMap<number, number> = new Map([
  [TYPE_BOOL, 1],
  [TYPE_STRING, 8],
  [TYPE_ARRAY, 12],
]);

function readArray(cursor: Cursor, what: string, depth: number, budget: MetadataBudget): GgufArray {
  const type = cursor.u32();
  const count = cursor.size();
  const numeric = NUMERIC_TYPES.get(type);
  const elementBytes = numeric?.bytes ?? SMALLEST_ELEMENT.get(type);
  if (elementBytes === undefined) throw unknownType(what, type);
  if (count * elementBytes > cursor.remaining) {
    throw new GgufError(
      `expected ${what} to fit in the ${cursor.remaining} bytes left in the file, got an array of ${count} elements (the file is truncated or damaged; download it again)`,
    );
  }
  if (numeric !== undefined) return numeric.many(cursor.copy(count * elementBytes).buffer);
  if (type === TYPE_STRING) return cursor.strings(count, what);
  if (type === TYPE_BOOL) {
    const bools = cursor.copy(count);
    if (bools.some((byte) => byte > 1)) throw notABool(what);
    return bools;
  }
  budget.nestedArrays -= count;
  if (depth === MAX_NESTING || budget.nestedArrays < 0) {
    throw new GgufError(
      `expected at most ${MAX_NESTED_ARRAYS} arrays within arrays, ${MAX_NESTING} deep, got more in ${what} (the file is damaged)`,
    );
  }
  return Array.from({ length: count }, () => readArray(cursor, what, depth + 1, budget));
}

function readBool(cursor: Cursor, what: string): boolean {
  const byte = cursor.u8();
  if (byte > 1) throw notABool(what);
  return byte === 1;
}

function notABool(what: string): GgufError {
  return new GgufError(`expected ${what} to hold bools, 0 or 1, got other bytes (the file is damaged)`);
}

function unknownType(what: string, type: number): GgufError {
  return new GgufError(`expected ${what} to have one of GGUF's types 0 to 12, got ${type} (the file is damaged)`);
}

/** A name from the file as it may stand in a message: quoted, control characters escaped, cut to 80 characters. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function wrong(key: string, expected: string, value: GgufValue): GgufError {
  const got = typeof value === "string" ? quoted(value) : typeof value === "object" ? "an array" : String(value);
  return new GgufError(`expected the metadata value ${quoted(key)} to be ${expected}, got ${got}`);
}

/** The string under `key`, or undefined where there is none; GgufError where it is something else. */
export function stringValue(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key);
  if (value === undefined || typeof value === "string") return value;
  throw wrong(key, "a string", value);
}

export function boolValue(metadata: Metadata, key: string): boolean | undefined {
  const value = metadata.get(key);
  if (value === undefined || typeof value === "boolean") return value;
  throw wrong(key, "true or false", value);
}

/** A whole number from 0 to 2^32 - 1. */
export function countValue(metadata: Metadata, key: string): number | undefined {
  const value = metadata.get(key);
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw wrong(key, "a whole number from 0 to 4294967295", value);
}

/** A finite number above 0. */
export function positiveValue(metadata: Metadata, key: string): number | undefined {
  const value = metadata.get(key);
  if (value === undefined) return undefined;
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw wrong(key, "a number above 0", value);
}
