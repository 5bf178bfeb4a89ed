/**
 * Records dispatches and submits them in bounded pieces, so that the page and the desktop stay responsive:
 * a submit is cut when its estimated work reaches a measured size, and few submits are in flight at a time.
 * In the steady state nothing is allocated: bind groups are cached by their buffers, and parameters live in a
 * ring of uniform slots addressed by dynamic offsets.
 */
import { type BufferPool, GPU_USAGE } from "./buffers.ts";
import type { Gpu } from "./device.ts";
import { type KernelDefinition, PipelineCache } from "./kernel.ts";
import type { Profiler } from "./profile.ts";

/** A whole buffer, or a slice of one (offset and size in bytes; offset a multiple of 256). */
export type BufferSlice = GPUBuffer | { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number };

const SLOT_BYTES = 256;
const SLOTS = 4096;
/** Aimed length of one submit (ms): short on a GPU that also draws the page, longer where a CPU does the work. */
const TARGET_MS = { gpu: 12, software: 100 };
const MAX_IN_FLIGHT = 2;
/** Read-backs of at most this many bytes go through buffers that are kept: all but whole matrices. */
const MAX_KEPT_READ = 2 ** 20;
const MIN_READ = 256;

/** The device went away (driver reset, sleep, memory): nothing more can run on it. */
export class DeviceLostError extends Error {
  override readonly name = "DeviceLostError";
}

export class CommandQueue {
  readonly gpu: Gpu;
  readonly pipelines: PipelineCache;
  readonly #device: GPUDevice;
  readonly #uniforms: GPUBuffer;
  readonly #staging = new ArrayBuffer(SLOTS * SLOT_BYTES);
  readonly #words = new DataView(this.#staging);
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  readonly #bufferIds = new WeakMap<GPUBuffer, number>();
  #nextBufferId = 1;
  #nextSlot = 0;
  #firstUnwritten = 0;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #work = 0;
  /** Work units (about one multiply-add each) per submit; adapted to the measured speed. */
  #workPerSubmit: number;
  readonly #targetMs: number;
  #inFlight: Promise<unknown>[] = [];
  /** Buffers for reading back that no read uses now; their sizes are powers of two. */
  readonly #readers: GPUBuffer[] = [];
  #destroyed = false;
  #profiler: Profiler | null = null;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.#device = gpu.device;
    this.pipelines = new PipelineCache(gpu.device);
    this.#uniforms = gpu.device.createBuffer({
      label: "params ring",
      size: SLOTS * SLOT_BYTES,
      usage: GPU_USAGE.UNIFORM | GPU_USAGE.COPY_DST,
    });
    this.#targetMs = gpu.isSoftware ? TARGET_MS.software : TARGET_MS.gpu;
    this.#workPerSubmit = gpu.isSoftware ? 2e8 : 2e9;
  }

  /** From now on dispatches are timed; null ends it. */
  profile(profiler: Profiler | null): void {
    this.#endPass();
    this.#profiler = profiler;
  }

  /**
   * Records one dispatch.
   * @param work its estimated multiply-adds; large ones cut the submit sooner
   */
  dispatch<B extends string, P extends string>(
    kernel: KernelDefinition<B, P>,
    buffers: Readonly<Record<B, BufferSlice>>,
    params: Readonly<Record<P, number>>,
    constants: Readonly<Record<string, number>> = NO_CONSTANTS,
    work = 1e5,
  ): void {
    const definition = kernel as unknown as KernelDefinition;
    const { pipeline, layout } = this.pipelines.get(definition, constants);
    const all = constants === NO_CONSTANTS ? kernel.constants : { ...kernel.constants, ...constants };
    const [x, y = 1, z = 1] = kernel.workgroups(params, all);
    if (x === 0 || y === 0 || z === 0) {
      return;
    }
    const limit = this.#device.limits.maxComputeWorkgroupsPerDimension;
    if (x > limit || y > limit || z > limit) {
      throw new Error(`${kernel.name}: expected at most ${limit} workgroups a dimension, got ${x}×${y}×${z}`);
    }
    const slot = this.#writeParams(definition, params);
    const group = this.#bindGroup(definition, layout, buffers);
    const pass = this.#profiler === null ? this.#currentPass() : this.#timedPass(this.#profiler, kernel.name);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, [slot * SLOT_BYTES]);
    pass.dispatchWorkgroups(x, y, z);
    this.#work += work;
    if (this.#work >= this.#workPerSubmit) {
      this.flush();
    }
  }

  /** Records a copy between buffers (bytes, multiples of 4). */
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, size: number): void {
    this.#endPass();
    this.#currentEncoder().copyBufferToBuffer(from, fromOffset, to, toOffset, size);
  }

  /** Records zeroing of a buffer range (bytes, multiples of 4). */
  clear(buffer: GPUBuffer, offset = 0, size = buffer.size - offset): void {
    this.#endPass();
    this.#currentEncoder().clearBuffer(buffer, offset, size);
  }

  /** Writes from the CPU, ordered after everything recorded so far. */
  write(buffer: GPUBuffer, offset: number, data: GPUAllowSharedBufferSource): void {
    this.flush();
    this.#device.queue.writeBuffer(buffer, offset, data);
  }

  /** Submits what is recorded. */
  flush(): void {
    this.#endPass();
    if (this.#encoder === null) {
      return;
    }
    this.#writePendingParams();
    const commands = this.#encoder.finish();
    this.#encoder = null;
    const work = this.#work;
    this.#work = 0;
    const queuedBefore = this.#inFlight.length;
    const started = performance.now();
    this.#device.queue.submit([commands]);
    const done = this.#device.queue.onSubmittedWorkDone().then(
      () => {
        if (queuedBefore === 0) {
          this.#adapt(work, performance.now() - started);
        }
      },
      () => undefined, // a lost device is reported by gpu.lost and by the next read-back
    );
    this.#inFlight.push(done);
  }

  /** Waits until few submits are in flight. Call it where the caller may pause, e.g. after each layer. */
  async pace(): Promise<void> {
    while (this.#inFlight.length > MAX_IN_FLIGHT) {
      await this.#inFlight.shift();
    }
  }

  /**
   * Reads `size` bytes back; submits what is recorded and waits for it.
   * @throws GpuError where anything before it failed; DeviceLostError
   */
  async read(buffer: GPUBuffer, offset = 0, size = buffer.size - offset): Promise<ArrayBuffer> {
    const reader = this.#takeReader(size);
    let sound = false;
    try {
      this.copy(buffer, offset, reader, 0, size);
      this.flush();
      const earlier = new Set(this.#inFlight);
      await reader.mapAsync(1, 0, size);
      this.#inFlight = this.#inFlight.filter((submitted) => !earlier.has(submitted));
      const error = this.gpu.takeError();
      if (error !== null) {
        throw error;
      }
      const bytes = reader.getMappedRange(0, size).slice(0);
      reader.unmap();
      sound = true;
      return bytes;
    } catch (error) {
      throw (await this.#lossOf()) ?? error;
    } finally {
      if (sound && !this.#destroyed && reader.size <= MAX_KEPT_READ) {
        this.#readers.push(reader);
      } else {
        reader.destroy();
      }
    }
  }

  /** Frees a pool's buffers, or some of them. What is recorded may still use them, so that it is submitted first. */
  release(pool: BufferPool, some?: readonly GPUBuffer[]): void {
    this.flush();
    if (some === undefined) {
      pool.destroy();
      this.#bindGroups.clear();
      return;
    }
    const freed = new Set(some.map((buffer) => this.#id(buffer)));
    some.forEach((buffer) => pool.free(buffer));
    for (const key of this.#bindGroups.keys()) {
      // "kernel,id,id:offset:size": parseInt reads up to the colon.
      if (key.split(",").some((part, index) => index > 0 && freed.has(parseInt(part, 10)))) {
        this.#bindGroups.delete(key);
      }
    }
  }

  destroy(): void {
    this.#destroyed = true;
    this.#bindGroups.clear();
    this.#uniforms.destroy();
    this.#readers.splice(0).forEach((reader) => reader.destroy());
  }

  /** A buffer of at least `size` bytes that can be mapped; one that is kept where there is one. */
  #takeReader(size: number): GPUBuffer {
    const rounded = size > MAX_KEPT_READ ? size : Math.max(MIN_READ, 2 ** Math.ceil(Math.log2(size)));
    const index = this.#readers.findIndex((reader) => reader.size === rounded);
    const [kept] = index === -1 ? [] : this.#readers.splice(index, 1);
    const usage = GPU_USAGE.COPY_DST | GPU_USAGE.MAP_READ;
    return kept ?? this.#device.createBuffer({ label: "read-back", size: rounded, usage });
  }

  /** The error that says so if the device is lost, else null. */
  async #lossOf(): Promise<DeviceLostError | null> {
    const lost = await Promise.race([this.gpu.lost, new Promise<null>((resolve) => setTimeout(resolve, 100, null))]);
    return lost === null
      ? null
      : new DeviceLostError(
          `expected the GPU device ${this.gpu.adapterName} to stay, got it lost (${lost.message || lost.reason}; what was saved before is intact: load the model again)`,
        );
  }

  #adapt(work: number, milliseconds: number): void {
    if (work < 1e6 || milliseconds <= 0) {
      return;
    }
    const aimed = (work / milliseconds) * this.#targetMs;
    this.#workPerSubmit = Math.min(1e12, Math.max(1e7, 0.7 * this.#workPerSubmit + 0.3 * aimed));
  }

  #currentEncoder(): GPUCommandEncoder {
    this.#encoder ??= this.#device.createCommandEncoder();
    return this.#encoder;
  }

  #currentPass(): GPUComputePassEncoder {
    this.#pass ??= this.#currentEncoder().beginComputePass();
    return this.#pass;
  }

  /** A pass of one dispatch. */
  #timedPass(profiler: Profiler, kernel: string): GPUComputePassEncoder {
    this.#endPass();
    this.#pass = this.#currentEncoder().beginComputePass({ timestampWrites: profiler.next(kernel) });
    return this.#pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }

  #writeParams(kernel: KernelDefinition, params: Readonly<Record<string, number>>): number {
    if (this.#nextSlot === SLOTS) {
      // The ring is full: earlier submits keep their values, since queue writes are ordered after them.
      this.flush();
      this.#nextSlot = 0;
      this.#firstUnwritten = 0;
    }
    const slot = this.#nextSlot++;
    let at = slot * SLOT_BYTES;
    for (const name in kernel.params) {
      const value = params[name];
      if (value === undefined || Number.isNaN(value)) {
        throw new Error(`${kernel.name}: expected a number for parameter ${name}, got ${value}`);
      }
      if (kernel.params[name] === "f32") {
        this.#words.setFloat32(at, value, true);
      } else if (value !== value >>> 0 && value !== (value | 0)) {
        throw new Error(`${kernel.name}: expected a 32-bit whole number for parameter ${name}, got ${value}`);
      } else {
        this.#words.setUint32(at, value, true);
      }
      at += 4;
    }
    return slot;
  }

  #writePendingParams(): void {
    if (this.#nextSlot > this.#firstUnwritten) {
      const from = this.#firstUnwritten * SLOT_BYTES;
      this.#device.queue.writeBuffer(this.#uniforms, from, this.#staging, from, this.#nextSlot * SLOT_BYTES - from);
      this.#firstUnwritten = this.#nextSlot;
    }
  }

  #bindGroup(
    kernel: KernelDefinition,
    layout: GPUBindGroupLayout,
    buffers: Readonly<Record<string, BufferSlice>>,
  ): GPUBindGroup {
    let key = kernel.name;
    for (const name in kernel.bindings) {
      const slice = buffers[name];
      if (slice === undefined) {
        throw new Error(`${kernel.name}: expected a buffer for binding ${name}, got none`);
      }
      key += "buffer" in slice ? `,${this.#id(slice.buffer)}:${slice.offset}:${slice.size}` : `,${this.#id(slice)}`;
    }
    let group = this.#bindGroups.get(key);
    if (group === undefined) {
      const names = Object.keys(kernel.bindings);
      group = this.#device.createBindGroup({
        label: kernel.name,
        layout,
        entries: [
          ...names.map((name, binding) => {
            const slice = buffers[name] as BufferSlice;
            return { binding, resource: "buffer" in slice ? slice : { buffer: slice } };
          }),
          { binding: names.length, resource: { buffer: this.#uniforms, size: SLOT_BYTES } },
        ],
      });
      this.#bindGroups.set(key, group);
    }
    return group;
  }

  #id(buffer: GPUBuffer): number {
    let id = this.#bufferIds.get(buffer);
    if (id === undefined) {
      id = this.#nextBufferId++;
      this.#bufferIds.set(buffer, id);
    }
    return id;
  }
}

const NO_CONSTANTS: Readonly<Record<string, number>> = {};
