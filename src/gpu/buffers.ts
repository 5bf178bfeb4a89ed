/** Storage buffers with their bytes counted, freed together. */
import type { Gpu } from "./device.ts";

/** GPUBufferUsage's values: the global object exists in browsers only, Node has it in the Dawn module. */
export const GPU_USAGE = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
} as const;

/** What a buffer of at least `bytes` bytes takes. */
export function bufferBytes(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}

/** Owns GPU buffers; `destroy` frees them all. Reports what it holds in bytes. */
export class BufferPool {
  readonly #gpu: Gpu;
  readonly #buffers = new Set<GPUBuffer>();
  #bytes = 0;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A zeroed storage buffer of at least `bytes` bytes. */
  storage(label: string, bytes: number): GPUBuffer {
    const size = bufferBytes(bytes);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#gpu.device.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (size > limit) {
      throw new Error(
        `expected buffer "${label}" within this device's ${limit} bytes a binding, got ${size} (use a smaller model or fewer tokens)`,
      );
    }
    const buffer = this.#gpu.device.createBuffer({
      label,
      size,
      usage: GPU_USAGE.STORAGE | GPU_USAGE.COPY_DST | GPU_USAGE.COPY_SRC,
    });
    this.#buffers.add(buffer);
    this.#count(size);
    return buffer;
  }

  /** A storage buffer holding `data`. */
  upload(label: string, data: Float32Array | Uint32Array): GPUBuffer {
    const buffer = this.storage(label, data.byteLength);
    this.#gpu.device.queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, data.byteLength);
    return buffer;
  }

  free(buffer: GPUBuffer): void {
    if (this.#buffers.delete(buffer)) {
      this.#count(-buffer.size);
      buffer.destroy();
    }
  }

  destroy(): void {
    for (const buffer of this.#buffers) {
      buffer.destroy();
    }
    this.#buffers.clear();
    this.#count(-this.#bytes);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#gpu.allocated.add(bytes);
  }
}
