/** Runs one kernel on arrays, for tests: uploads, dispatches, reads back, and watches for writes past the end. */
import { BufferPool } from "./buffers.ts";
import type { KernelDefinition } from "./kernel.ts";
import type { CommandQueue } from "./queue.ts";

/**
 * Every buffer goes on for this many 32-bit words after its data. The words are finite floats, absurdly large: a kernel
 * that reads past the end gives a wrong result unless it multiplies by zero, and one that writes there is found out.
 */
const TAIL_WORDS = 64;
const TAIL = 1e9;

/**
 * @param arrays contents of every binding; those the kernel writes are what is there before it runs
 * @returns contents of the `read_write` bindings afterwards
 */
export async function runKernel<B extends string, P extends string>(
  queue: CommandQueue,
  kernel: KernelDefinition<B, P>,
  arrays: Readonly<Record<B, Float32Array | Uint32Array>>,
  params: Readonly<Record<P, number>>,
  constants: Readonly<Record<string, number>> = {},
): Promise<Map<B, Float32Array>> {
  await queue.pipelines.prepare(kernel, constants);
  const pool = new BufferPool(queue.gpu);
  const names = Object.keys(kernel.bindings) as B[];
  const buffers = {} as Record<B, GPUBuffer>;
  for (const name of names) {
    const data = arrays[name];
    const words = new Uint32Array(Math.ceil((data.length + TAIL_WORDS) / 4) * 4);
    new Float32Array(words.buffer).fill(TAIL);
    words.set(new Uint32Array(data.buffer, data.byteOffset, data.length));
    buffers[name] = pool.upload(`${kernel.name} ${name}`, words);
  }
  try {
    queue.dispatch(kernel, buffers, params, constants);
    const written = new Map<B, Float32Array>();
    for (const name of names) {
      if (kernel.bindings[name] === "read") continue;
      const all = new Float32Array(await queue.read(buffers[name]));
      const { length } = arrays[name];
      const overrun = all.findIndex((value, index) => index >= length && value !== TAIL);
      if (overrun >= 0) {
        throw new Error(
          `${kernel.name}: expected no write past the ${length} values of ${name}, got ${all[overrun]} at ${overrun}`,
        );
      }
      written.set(name, all.slice(0, length));
    }
    return written;
  } finally {
    queue.release(pool);
  }
}
