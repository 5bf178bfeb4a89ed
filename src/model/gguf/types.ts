/**
 * GGML's tensor types: ids as in ggml.h, and how many values and bytes one block holds.
 * A quantized row is a run of whole blocks, so a row's length K is always a multiple of `blockSize`.
 */
interface BlockShape {
  readonly id: number;
  /** values in one block */
  readonly blockSize: number;
  /** bytes of one block */
  readonly blockBytes: number;
}

export const GGML_TYPES = {
  F32: { id: 0, blockSize: 1, blockBytes: 4 },
  F16: { id: 1, blockSize: 1, blockBytes: 2 },
  Q4_0: { id: 2, blockSize: 32, blockBytes: 18 },
  Q4_1: { id: 3, blockSize: 32, blockBytes: 20 },
  Q5_0: { id: 6, blockSize: 32, blockBytes: 22 },
  Q5_1: { id: 7, blockSize: 32, blockBytes: 24 },
  Q8_0: { id: 8, blockSize: 32, blockBytes: 34 },
  Q4_K: { id: 12, blockSize: 256, blockBytes: 144 },
  Q5_K: { id: 13, blockSize: 256, blockBytes: 176 },
  Q6_K: { id: 14, blockSize: 256, blockBytes: 210 },
  BF16: { id: 30, blockSize: 1, blockBytes: 2 },
} as const satisfies Record<string, BlockShape>;

export type GgmlType = keyof typeof GGML_TYPES;

export const GGML_TYPE_NAMES = Object.keys(GGML_TYPES) as GgmlType[];

const TYPE_BY_ID: ReadonlyMap<number, GgmlType> = new Map(GGML_TYPE_NAMES.map((name) => [GGML_TYPES[name].id, name]));

export function ggmlTypeById(id: number): GgmlType | undefined {
  return TYPE_BY_ID.get(id);
}

// Types that exist but are not read here: only to name them in the error.
const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
  [40, "NVFP4"],
  [41, "Q1_0"],
]);

/** "IQ4_XS (type 23)", or "type 99" where ggml has no such type. */
export function describeTypeId(id: number): string {
  const name = ggmlTypeById(id) ?? OTHER_TYPES.get(id);
  return name === undefined ? `type ${id}` : `${name} (type ${id})`;
}

/** Bytes of one row of K values; K must be a multiple of the type's block size. */
export function rowBytes(type: GgmlType, K: number): number {
  const { blockSize, blockBytes } = GGML_TYPES[type];
  return (K / blockSize) * blockBytes;
}
