import { afterEach, describe, expect, test, vi } from "vitest";
import { BufferPool } from "../gpu/buffers.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { linearKernels } from "./kernelFamilies.ts";
import { randomMatrix } from "./randomModel.ts";
import { dropReplaced, tuneKernels } from "./tuneKernels.ts";
import { modelProducts, tunedChoice, unmeasured, withMeasured } from "./tuningRecord.ts";

const gpu = await testGpu();
const queue = new CommandQueue(gpu);
const pool = new BufferPool(gpu);
const matrix = await randomMatrix(queue, pool, { name: "w", type: "F32", shape: [40, 64] }, 1);
const products = modelProducts([matrix]);
const own = { adapter: gpu.adapterIdentity, version: "1", sources: "ab" };
const standard = gpu.kernels;

afterEach(() => {
  vi.restoreAllMocks();
  gpu.kernels = standard;
});

test("every direction and class of rows of a layout is measured with all families, and the rest is dropped", async () => {
  const measured = await tuneKernels(queue, products);
  expect(measured.map(({ direction, rowClass }) => `${direction} ${rowClass}`)).toEqual([
    ...["forward many", "backward many", "forward one", "forward few", "backward few"],
  ]);
  for (const { candidates, rowClass, direction } of measured) {
    const families = new Set(candidates.map(({ family }) => family));
    expect(families.has("tiled")).toBe(rowClass !== "one" || direction !== "forward");
    expect(candidates.every(({ milliseconds }) => milliseconds !== null && milliseconds > 0)).toBe(true);
  }
  const record = withMeasured(null, own, measured);
  expect(unmeasured(record, products)).toEqual([]);
  expect(gpu.kernels).toBe(standard);

  gpu.kernels = tunedChoice(record, gpu.subgroupSize);
  dropReplaced(queue, products, standard);
  const { pipelines } = queue;
  const runs = new Set(linearKernels(gpu, ["forward", "backward"], matrix.parts[0]?.constants ?? {}).map(nameOf));
  for (const family of ["registers", "subgroups", "tiled"] as const) {
    const kernels = { ...standard, basic: family === "tiled" ? standard.basic : family, linear: family };
    for (const each of linearKernels({ kernels }, ["forward", "backward"], matrix.parts[0]?.constants ?? {})) {
      if (each.kernel.name.endsWith("forward_four")) continue; // not measured: useKernels compiles it
      const got = () => pipelines.get(each.kernel, each.constants);
      if (runs.has(nameOf(each))) expect(got).not.toThrow();
      else expect(got).toThrow("before it was prepared");
    }
  }
});

function nameOf({ kernel, constants }: { kernel: { name: string }; constants: Readonly<Record<string, number>> }) {
  return `${kernel.name} ${JSON.stringify(constants)}`;
}

describe("time that does not suffice", () => {
  const took = async <T>(work: Promise<T>): Promise<[T, number]> => {
    const began = performance.now();
    return [await work, performance.now() - began];
  };
  /** Kernels whose names begin so take longer to compile than anybody waits. */
  const slow = (prefix: string) => {
    const prepare = queue.pipelines.prepare.bind(queue.pipelines);
    vi.spyOn(queue.pipelines, "prepare").mockImplementation((kernel, constants) =>
      kernel.name.startsWith(prefix) ? new Promise(() => undefined) : prepare(kernel, constants),
    );
  };

  test("leaves products unmeasured, which another tuning fills in", async () => {
    slow("linear");
    const [none, milliseconds] = await took(tuneKernels(queue, products, { budget: 300 }));
    expect(none).toEqual([]);
    expect(milliseconds).toBeLessThan(600);
    vi.restoreAllMocks();
    const [first] = products;
    const part = await tuneKernels(queue, first === undefined ? [] : [first]);
    const record = withMeasured(null, own, part);
    expect(unmeasured(record, products)).toEqual(products.slice(1));
    expect(Object.keys(tunedChoice(record, gpu.subgroupSize).tuned)).toEqual(["forward f32 many"]);
    const rest = await tuneKernels(queue, unmeasured(record, products));
    expect(withMeasured(record, own, rest).products).toHaveLength(products.length);
  });

  test("a family that compiles without end is left out, and the others are measured in time", async () => {
    await tuneKernels(queue, products); // the driver knows all of them
    slow("linear_tiled");
    const [measured, milliseconds] = await took(tuneKernels(queue, products, { budget: 2500 }));
    expect(milliseconds).toBeLessThan(3000);
    expect(measured.length).toBeGreaterThan(0);
    for (const { candidates } of measured) {
      const times = candidates.map(({ family, milliseconds }) => [family, milliseconds !== null]);
      expect(times.filter(([, known]) => known === false).map(([family]) => family)).toEqual(
        candidates.filter(({ family }) => family === "tiled").map(({ family }) => family),
      );
    }
  });

  test("what was measured before a stop is kept", async () => {
    const controller = new AbortController();
    const onProgress = (done: number) => done === 2 && controller.abort();
    const measured = await tuneKernels(queue, products, { signal: controller.signal, onProgress });
    expect(measured).toHaveLength(2);
  });
});
