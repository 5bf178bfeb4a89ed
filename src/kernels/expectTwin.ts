/** Compares a kernel on the GPU with its CPU twin, for tests. */
import { expectClose } from "../gpu/expectClose.ts";
import type { KernelDefinition } from "../gpu/kernel.ts";
import type { CommandQueue } from "../gpu/queue.ts";
import { runKernel } from "../gpu/runKernel.ts";
import type { KernelTwin, Numbers } from "./twin.ts";

export interface TwinComparison<B extends string> {
  /** As expectClose has it. */
  readonly tolerance: number;
  readonly constants?: Readonly<Record<string, number>>;
  /** Shapes of written bindings, for the message; flat otherwise. */
  readonly shapes?: Readonly<Partial<Record<B, readonly number[]>>>;
}

/**
 * Runs both on the same arrays and throws where any binding that the kernel writes differs.
 * @returns what the GPU wrote
 */
export async function expectTwin<B extends string, P extends string>(
  queue: CommandQueue,
  kernel: KernelDefinition<B, P>,
  twin: KernelTwin<KernelDefinition<B, P>>,
  arrays: Readonly<Record<B, Float32Array | Uint32Array>>,
  params: Readonly<Record<P, number>>,
  { tolerance, constants = {}, shapes }: TwinComparison<B>,
): Promise<Map<B, Float32Array>> {
  const expected = {} as Record<B, Numbers>;
  for (const name of Object.keys(kernel.bindings) as B[]) {
    const data = arrays[name];
    expected[name] = data instanceof Float32Array ? Float64Array.from(data) : data;
  }
  twin(expected, params, { ...kernel.constants, ...constants });
  const written = await runKernel(queue, kernel, arrays, params, constants);
  const settings = Object.entries({ ...params, ...constants }).map(([name, value]) => `${name} ${String(value)}`);
  for (const [name, actual] of written) {
    expectClose(actual, expected[name], {
      label: `${kernel.name} ${name} [${settings.join(", ")}]`,
      shape: shapes?.[name] ?? [actual.length],
      tolerance,
    });
  }
  return written;
}
