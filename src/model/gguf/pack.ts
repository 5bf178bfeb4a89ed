/**
 * Repacking of GGUF weights into the layouts that the GPU kernels read, without a change to any value.
 *
 * A weight W (N outputs, K inputs) becomes words whose index runs fastest over n, so that neighbouring outputs lie
 * together and each u32 holds consecutive k of one output. Np = N rounded up to a multiple of 8, the rest zero.
 *   q4   Q4_0, Q4_1:  words[(k/8)·Np + n] = 8 nibbles, k ascending from bit 0;
 *        scales[(k/32)·Np + n] = f16(d) | f16(m) << 16;  w = d·q + m
 *        scale (Q4_0): scales[(k/64)·Np + n] = f16(d) of the even 32-block and the odd one;  w = d·q - 8·d
 *   q4k  Q4_K: words as q4; scales: (K/256)·Np words [(k/256)·Np + n] = f16(d) | f16(dmin) << 16, then (K/64)·Np words
 *        [(k/64)·Np + n] = bytes sc, m of the even 32-block, sc, m of the odd one;  w = (d·sc)·q - dmin·m
 *   q8   Q5_0, Q5_1, Q8_0, Q5_K, Q6_K: words[(k/4)·Np + n] = 4 signed bytes, k ascending;
 *        scales[2·((k/32)·Np + n)] = two f32 (scale, min), w = scale·q + min;
 *        halves (Q6_K): words[(k/8)·Np + n] = low nibbles, then from (K/8)·Np words [(k/16)·Np + n] = pairs of high bits;
 *        scales[(k/256)·Np + n] = f16(d), then from (K/256)·Np [(k/64)·Np + n] = four signed bytes sc, of 16 k each;
 *        w = (d·sc)·(q - 32)
 *   f32  F32, F16, BF16: words[k·Np + n] = f32 bits; scales: one zero word
 */
import { BLOCK_FORMATS, f16ToNumber, isQuantized, kMin, kScale, type QuantizedType } from "./blocks.ts";
import { floatBits } from "./dequantize.ts";
import { GgufError } from "./ggufError.ts";
import type { GgufTensor } from "./header.ts";
import { quoted } from "./metadata.ts";
import { GGML_TYPES, rowBytes, type GgmlType } from "./types.ts";

export const WEIGHT_LAYOUTS = ["q4", "q4k", "q8", "f32"] as const;
export type WeightLayout = (typeof WEIGHT_LAYOUTS)[number];
export type ScaleKind = "scaleMin" | "halves" | "scale";

/** Rows n0 .. n0 + N - 1 of a tensor, ready to upload. */
export interface PackedPart {
  readonly layout: WeightLayout;
  /** "halves" of Q6_K, "scale" of Q4_0, else "scaleMin" */
  readonly scaleKind: ScaleKind;
  /** a multiple of 8 */
  readonly n0: number;
  readonly N: number;
  /** N rounded up to a multiple of 8 */
  readonly Np: number;
  readonly K: number;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly scales: Uint32Array<ArrayBuffer>;
}

export const LAYOUT_OF: Readonly<Record<GgmlType, WeightLayout>> = {
  F32: "f32",
  F16: "f32",
  BF16: "f32",
  Q4_0: "q4",
  Q4_1: "q4",
  Q4_K: "q4k",
  Q5_0: "q8",
  Q5_1: "q8",
  Q8_0: "q8",
  Q5_K: "q8",
  Q6_K: "q8",
};

export function scaleKind(type: GgmlType): ScaleKind {
  return type === "Q6_K" ? "halves" : type === "Q4_0" ? "scale" : "scaleMin";
}

/** Bytes of the two buffers for a weight (N, K). */
export function packedBytes(type: GgmlType, N: number, K: number): { words: number; scales: number } {
  const Np = Math.ceil(N / 8) * 8;
  switch (LAYOUT_OF[type]) {
    case "q4":
      return { words: (Np * K) / 2, scales: type === "Q4_0" ? 4 * Np * Math.ceil(K / 64) : (Np * K) / 8 };
    case "q4k":
      return { words: (Np * K) / 2, scales: (Np * K) / 64 + (Np * K) / 16 };
    case "q8":
      if (type === "Q6_K") {
        return { words: (Np * K * 3) / 4, scales: (Np * K) / 64 + (Np * K) / 16 };
      }
      return { words: Np * K, scales: (Np * K) / 4 };
    case "f32":
      return { words: Np * K * 4, scales: 4 };
  }
}

// Rows packed together: 16 neighbouring u32 fill the cache line that each of a row's words goes to.
const ROWS_AT_ONCE = 16;
const CHUNK_BYTES = 4 << 20;

/**
 * A 2-D tensor in parts along N, each with both buffers at most `maxPartBytes` long. Holds one part and one chunk of
 * the file at a time.
 * @throws GgufError where the tensor cannot be packed; the signal's reason where it aborts
 */
export async function* packTensor(
  tensor: GgufTensor,
  maxPartBytes: number,
  signal?: AbortSignal,
): AsyncGenerator<PackedPart> {
  const { type, shape, source } = tensor;
  const [N, K] = shape;
  if (N === undefined || K === undefined || shape.length !== 2) {
    throw new GgufError(`expected tensor ${quoted(tensor.name)} to have 2 dimensions, got [${shape.join(", ")}]`);
  }
  if (K % 4 !== 0) {
    throw new GgufError(`expected the row length of ${quoted(tensor.name)} to be a multiple of 4, got ${K}`);
  }
  const rowsOfPart = partRows(tensor, maxPartBytes);
  const bytesPerRow = rowBytes(type, K);
  const chunkRows = ROWS_AT_ONCE * Math.max(1, Math.floor(CHUNK_BYTES / bytesPerRow / ROWS_AT_ONCE));
  for (let n0 = 0; n0 < N; n0 += rowsOfPart) {
    const part = emptyPart(type, n0, Math.min(rowsOfPart, N - n0), K);
    for (let n = 0; n < part.N; n += chunkRows) {
      signal?.throwIfAborted();
      const rows = Math.min(chunkRows, part.N - n);
      const bytes = await source.read(tensor.offset + (n0 + n) * bytesPerRow, rows * bytesPerRow);
      packRows(tensor, bytes, part, n, rows);
    }
    signal?.throwIfAborted();
    yield part;
  }
}

/**
 * Rows of a part of a matrix (N, K) whose buffers hold at most `maxPartBytes` each; a multiple of 8.
 * @throws GgufError where not even 8 rows fit
 */
export function partRows(
  { name, type, shape }: Pick<GgufTensor, "name" | "type" | "shape">,
  maxPartBytes: number,
): number {
  const [N = 0, K = 0] = shape;
  const eightRows = packedBytes(type, 8, K);
  const mostRows = 8 * Math.floor(maxPartBytes / Math.max(eightRows.words, eightRows.scales));
  if (mostRows < 8) {
    throw new GgufError(
      `expected 8 rows of ${quoted(name)} to fit in a buffer of ${maxPartBytes} bytes, got rows of ${K} values (this device's limit is too small for the model)`,
    );
  }
  // Parts of nearly the same size, so that no dispatch is left with a few rows.
  return 8 * Math.ceil(N / Math.ceil(N / mostRows) / 8);
}

function emptyPart(type: GgmlType, n0: number, N: number, K: number): PackedPart {
  const bytes = packedBytes(type, N, K);
  return {
    layout: LAYOUT_OF[type],
    scaleKind: scaleKind(type),
    n0,
    N,
    Np: Math.ceil(N / 8) * 8,
    K,
    words: new Uint32Array(bytes.words / 4),
    scales: new Uint32Array(bytes.scales / 4),
  };
}

/** Some rows in a chunk of the file, and where in the part the first of them goes. */
interface Rows {
  readonly view: DataView;
  /** byte of the first row in the view */
  readonly at: number;
  readonly bytesPerRow: number;
  readonly n: number;
  readonly count: number;
}

function packRows(tensor: GgufTensor, bytes: Uint8Array, part: PackedPart, n: number, count: number): void {
  const { type } = tensor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bytesPerRow = rowBytes(type, part.K);
  for (let row = 0; row < count; row += ROWS_AT_ONCE) {
    const rows = { view, at: row * bytesPerRow, bytesPerRow, n: n + row, count: Math.min(ROWS_AT_ONCE, count - row) };
    if (!isQuantized(type)) packFloats(type, rows, part);
    else if (type === "Q6_K") packSixBits(rows, part);
    else if (part.layout === "q8") packBytes(type, rows, part);
    else {
      packNibbles(type, rows, part);
      if (type === "Q4_K") packKScales(rows, part);
      else if (type === "Q4_0") packScales(rows, part);
      else packScalesAndMinima(rows, part);
    }
  }
}

function packFloats(type: Exclude<GgmlType, QuantizedType>, rows: Rows, { words, K, Np }: PackedPart): void {
  const { blockBytes } = GGML_TYPES[type];
  for (let k = 0; k < K; k++) {
    const at = rows.at + k * blockBytes;
    const to = k * Np + rows.n;
    for (let r = 0; r < rows.count; r++) words[to + r] = floatBits(type, rows.view, at + r * rows.bytesPerRow);
  }
}

function packBytes(type: QuantizedType, rows: Rows, part: PackedPart): void {
  const { words, K, Np } = part;
  const { blockSize, blockBytes } = GGML_TYPES[type];
  const format = BLOCK_FORMATS[type];
  const scales = new Float32Array(part.scales.buffer);
  for (let k = 0; k < K; k += 32) {
    const at = rows.at + Math.floor(k / blockSize) * blockBytes;
    const inBlock = k % blockSize;
    for (let r = 0; r < rows.count; r++) {
      const block = at + r * rows.bytesPerRow;
      const to = (k / 4) * Np + rows.n + r;
      for (let i = 0; i < 8; i++) words[to + i * Np] = format.quad(rows.view, block, inBlock / 4 + i);
      const pair = 2 * ((k / 32) * Np + rows.n + r);
      const group = inBlock / format.groupSize;
      scales[pair] = format.scale(rows.view, block, group);
      scales[pair + 1] = format.min(rows.view, block, group);
    }
  }
}

function packSixBits(rows: Rows, { words, scales, K, Np }: PackedPart): void {
  const { blockSize, blockBytes } = GGML_TYPES.Q6_K;
  const format = BLOCK_FORMATS.Q6_K;
  const [highWords, subScales] = [(K / 8) * Np, (K / blockSize) * Np];
  for (let k = 0; k < K; k += 64) {
    const at = rows.at + Math.floor(k / blockSize) * blockBytes;
    const inBlock = k % blockSize;
    for (let r = 0; r < rows.count; r++) {
      const block = at + r * rows.bytesPerRow;
      const n = rows.n + r;
      for (let i = 0; i < 64; i += 16) {
        let [low, high] = [0, 0];
        for (let j = 0; j < 16; j += 4) {
          // Four bytes q - 32, of which the low six bits plus 32 are q.
          const quad = format.quad(rows.view, block, (inBlock + i + j) / 4) ^ 0x20202020;
          low |= lowNibbles(quad) << (4 * (j % 8));
          high |= highPairs(quad) << (2 * j);
          if (j % 8 === 4) {
            words[Math.floor((k + i + j) / 8) * Np + n] = low;
            low = 0;
          }
        }
        words[highWords + ((k + i) / 16) * Np + n] = high;
      }
      // Bytes 192… are the scales of 16 inputs each, 208 and 209 the super-block's.
      scales[subScales + (k / 64) * Np + n] = rows.view.getUint32(block + 192 + inBlock / 16, true);
      if (inBlock === 0) scales[(k / blockSize) * Np + n] = rows.view.getUint16(block + 208, true);
    }
  }
}

/** Bits 4 and 5 of four bytes, in 8 bits. */
function highPairs(quad: number): number {
  const pairs = (quad >>> 4) & 0x03030303;
  return (pairs | (pairs >>> 6) | (pairs >>> 12) | (pairs >>> 18)) & 0xff;
}

function packNibbles(type: QuantizedType, rows: Rows, { words, K, Np }: PackedPart): void {
  const { blockSize, blockBytes } = GGML_TYPES[type];
  const format = BLOCK_FORMATS[type];
  // Q4_0's quants are nibbles minus 8: the same low bits with the highest of the four inverted.
  const inverted = type === "Q4_0" ? 0x88888888 : 0;
  for (let k = 0; k < K; k += 32) {
    const at = rows.at + Math.floor(k / blockSize) * blockBytes;
    const first = (k % blockSize) / 4;
    for (let r = 0; r < rows.count; r++) {
      const block = at + r * rows.bytesPerRow;
      const to = (k / 8) * Np + rows.n + r;
      for (let i = 0; i < 4; i++) {
        const low = lowNibbles(format.quad(rows.view, block, first + 2 * i));
        const high = lowNibbles(format.quad(rows.view, block, first + 2 * i + 1));
        words[to + i * Np] = (low | (high << 16)) ^ inverted;
      }
    }
  }
}

/** The low nibbles of four bytes, in 16 bits. */
function lowNibbles(quad: number): number {
  const nibbles = quad & 0x0f0f0f0f;
  const pairs = (nibbles | (nibbles >>> 4)) & 0x00ff00ff;
  return (pairs | (pairs >>> 8)) & 0xffff;
}

function packScales(rows: Rows, { scales, K, Np }: PackedPart): void {
  const { blockBytes } = GGML_TYPES.Q4_0;
  for (let block = 0; block < K / 32; block++) {
    for (let r = 0; r < rows.count; r++) {
      const d = rows.view.getUint16(rows.at + block * blockBytes + r * rows.bytesPerRow, true);
      const to = (block >> 1) * Np + rows.n + r;
      scales[to] = (scales[to] ?? 0) | (d << (16 * (block % 2)));
    }
  }
}

function packScalesAndMinima(rows: Rows, { scales, K, Np }: PackedPart): void {
  const { blockBytes } = GGML_TYPES.Q4_1;
  for (let block = 0; block < K / 32; block++) {
    for (let r = 0; r < rows.count; r++) {
      const at = rows.at + block * blockBytes + r * rows.bytesPerRow;
      scales[block * Np + rows.n + r] = rows.view.getUint32(at, true); // f16(d), f16(m)
    }
  }
}

function packKScales(rows: Rows, { scales, K, Np }: PackedPart): void {
  const { blockBytes } = GGML_TYPES.Q4_K;
  const subScales = (K / 256) * Np;
  for (let block = 0; block < K / 256; block++) {
    for (let r = 0; r < rows.count; r++) {
      const at = rows.at + block * blockBytes + r * rows.bytesPerRow;
      const n = rows.n + r;
      scales[block * Np + n] = rows.view.getUint32(at, true);
      for (let i = 0; i < 4; i++) {
        const even = kScale(rows.view, at + 4, 2 * i) | (kMin(rows.view, at + 4, 2 * i) << 8);
        const odd = kScale(rows.view, at + 4, 2 * i + 1) | (kMin(rows.view, at + 4, 2 * i + 1) << 8);
        scales[subScales + (block * 4 + i) * Np + n] = even | (odd << 16);
      }
    }
  }
}

/**
 * The weights of a part, (N, K) f32, row-major: what `dequantize` gives for its rows, bit for bit, but for zeros of
 * Q4_0 with a negative scale, which are +0 here and -0 there (d·8 - 8·d against d·0).
 */
export function unpackPart(part: PackedPart): Float32Array<ArrayBuffer> {
  const { N, K } = part;
  const out = new Float32Array(N * K);
  const bits = new Uint32Array(out.buffer);
  for (let n = 0; n < N; n++) {
    for (let k = 0; k < K; k++) {
      if (part.layout === "f32") bits[n * K + k] = part.words[k * part.Np + n] ?? 0;
      else out[n * K + k] = weight(part, n, k);
    }
  }
  return out;
}

function weight({ layout, scaleKind, words, scales, Np, K }: PackedPart, n: number, k: number): number {
  const word = (perWord: number) => words[Math.floor(k / perWord) * Np + n] ?? 0;
  const scale = (index: number) => scales[index] ?? 0;
  if (layout === "q8") {
    if (scaleKind === "halves") {
      const low = (word(8) >>> (4 * (k % 8))) & 0xf;
      const high = ((words[(K / 8) * Np + Math.floor(k / 16) * Np + n] ?? 0) >>> (2 * (k % 16))) & 3;
      const bytes = scale((K / 256) * Np + Math.floor(k / 64) * Np + n);
      const inner = (bytes << (24 - 8 * (Math.floor(k / 16) % 4))) >> 24;
      return f16ToNumber(scale(Math.floor(k / 256) * Np + n) & 0xffff) * inner * ((low | (high << 4)) - 32);
    }
    const q = (word(4) << (24 - 8 * (k % 4))) >> 24;
    const pair = 2 * (Math.floor(k / 32) * Np + n);
    return f32(scale(pair)) * q + f32(scale(pair + 1));
  }
  const q = (word(8) >>> (4 * (k % 8))) & 0xf;
  if (layout === "q4" && scaleKind === "scale") {
    const block = Math.floor(k / 32);
    const d = f16ToNumber((scale((block >> 1) * Np + n) >>> (16 * (block % 2))) & 0xffff);
    return d * q - 8 * d;
  }
  if (layout === "q4") {
    const dm = scale(Math.floor(k / 32) * Np + n);
    return f16ToNumber(dm & 0xffff) * q + f16ToNumber(dm >>> 16);
  }
  const dd = scale(Math.floor(k / 256) * Np + n);
  const sub = scale((K / 256) * Np + Math.floor(k / 64) * Np + n) >>> (k % 64 < 32 ? 0 : 16);
  return f16ToNumber(dd & 0xffff) * (sub & 0xff) * q - f16ToNumber(dd >>> 16) * ((sub >>> 8) & 0xff);
}

const oneFloat = new Float32Array(1);
const oneWord = new Uint32Array(oneFloat.buffer);

function f32(bits: number): number {
  oneWord[0] = bits;
  return oneFloat[0] ?? 0;
}
