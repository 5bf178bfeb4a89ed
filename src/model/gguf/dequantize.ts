/** CPU dequantization: the twin of the GPU kernels' own, bit for bit that of Python's `gguf.dequantize`. */
import { BLOCK_FORMATS, f16ToF32Bits, isQuantized, type QuantizedType } from "./blocks.ts";
import { GgufError } from "./ggufError.ts";
import type { GgufTensor } from "./header.ts";
import { GGML_TYPES, rowBytes, type GgmlType } from "./types.ts";

/**
 * @param bytes the blocks of `count` values
 * @returns (count) f32
 * @throws GgufError where the bytes are not exactly those blocks
 */
export function dequantize(type: GgmlType, bytes: Uint8Array, count: number): Float32Array<ArrayBuffer> {
  const { blockSize } = GGML_TYPES[type];
  if (count % blockSize !== 0 || bytes.byteLength !== rowBytes(type, count)) {
    throw new GgufError(`expected whole blocks of ${type} for ${count} values, got ${bytes.byteLength} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(count);
  if (isQuantized(type)) dequantizeBlocks(type, view, out);
  else {
    // As bits: a NaN written as a number may lose its payload.
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < count; i++) bits[i] = floatBits(type, view, i * GGML_TYPES[type].blockBytes);
  }
  return out;
}

/** The f32 bits of the value at byte `at` of a tensor that is not quantized. */
export function floatBits(type: Exclude<GgmlType, QuantizedType>, view: DataView, at: number): number {
  switch (type) {
    case "F32":
      return view.getUint32(at, true);
    case "F16":
      return f16ToF32Bits(view.getUint16(at, true));
    case "BF16":
      return view.getUint16(at, true) << 16;
  }
}

function dequantizeBlocks(type: QuantizedType, view: DataView, out: Float32Array): void {
  const { blockSize, blockBytes } = GGML_TYPES[type];
  const format = BLOCK_FORMATS[type];
  const { groupSize } = format;
  for (let block = 0; block < out.length / blockSize; block++) {
    const at = block * blockBytes;
    for (let group = 0; group < blockSize / groupSize; group++) {
      const scale = format.scale(view, at, group);
      const min = format.min(view, at, group);
      const first = block * blockSize + group * groupSize;
      for (let i = 0; i < groupSize; i += 4) {
        const quad = format.quad(view, at, (group * groupSize + i) / 4);
        for (let j = 0; j < 4; j++) out[first + i + j] = scale * ((quad << (24 - 8 * j)) >> 24) + min;
      }
    }
  }
}

/** A whole tensor as f32, row-major; for small ones (norms): a large one belongs packed on the GPU. */
export async function readTensorF32(tensor: GgufTensor): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await tensor.source.read(tensor.offset, tensor.byteLength);
  return dequantize(
    tensor.type,
    bytes,
    tensor.shape.reduce((product, size) => product * size, 1),
  );
}
