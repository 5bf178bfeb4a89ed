import { create } from "webgpu";
import { describe, expect, test, vi } from "vitest";
import { BufferPool } from "./buffers.ts";
import { GpuError, openGpu } from "./device.ts";
import { defineKernel } from "./kernel.ts";
import { testGpu } from "./nodeTestGpu.ts";
import { CommandQueue } from "./queue.ts";

const gpu = await testGpu({ limits: "default" });
const queue = new CommandQueue(gpu);
const pool = new BufferPool(gpu);

const WGSL = `
override SCALE: u32 = 1u;
struct Params { at: u32, value: f32, wrapped: i32 }
@group(0) @binding(0) var<storage, read> offset: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;
@compute @workgroup_size(1)
fn put(@builtin(workgroup_id) group: vec3u) {
  out[p.at + group.x] = offset[0] + p.value * f32(SCALE) + f32(p.wrapped);
}
`;

/** out[at + i] = offset[0] + value·SCALE + wrapped for each workgroup i. */
const put = defineKernel({
  name: "test.put",
  source: WGSL,
  entryPoint: "put",
  bindings: { offset: "read", out: "read_write" },
  params: { at: "u32", value: "f32", wrapped: "i32" },
  constants: { SCALE: 1 },
  workgroups: ({ value }) => [value < 0 ? 0 : value === 70_000 ? 70_000 : 1],
});
await queue.pipelines.prepare(put);
const zero = pool.upload("zero", new Float32Array(4));

async function read(buffer: GPUBuffer): Promise<Float32Array> {
  return new Float32Array(await queue.read(buffer));
}

describe("parameters", () => {
  test("of 10,000 dispatches reach each its own, round the ring of 4096 slots", async () => {
    const count = 10_000;
    const out = pool.storage("out", 4 * count);
    // So little work that no submit is cut before the ring is full.
    for (let at = 0; at < count; at++)
      queue.dispatch(put, { offset: zero, out }, { at, value: at + 0.5, wrapped: 0 }, {}, 1);
    expect(await read(out)).toEqual(Float32Array.from({ length: count }, (_, at) => at + 0.5));
  });

  test("may be negative where they are i32", async () => {
    const out = pool.storage("out", 16);
    queue.dispatch(put, { offset: zero, out }, { at: 1, value: 2, wrapped: -5 });
    expect(await read(out)).toEqual(Float32Array.of(0, -3, 0, 0));
  });

  test("that are missing or NaN are an error naming kernel and parameter", () => {
    const out = pool.storage("out", 16);
    const dispatch = (params: object) => queue.dispatch(put, { offset: zero, out }, params as never);
    expect(() => dispatch({ at: 0, value: 1 })).toThrow(
      "test.put: expected a number for parameter wrapped, got undefined",
    );
    expect(() => dispatch({ at: NaN, value: 1, wrapped: 0 })).toThrow("expected a number for parameter at, got NaN");
    expect(() => dispatch({ at: 1.5, value: 1, wrapped: 0 })).toThrow("32-bit whole number for parameter at, got 1.5");
    expect(() => dispatch({ at: 2 ** 32, value: 1, wrapped: 0 })).toThrow("got 4294967296");
  });
});

describe("dispatch", () => {
  test("allocates no bind groups in the steady state", () => {
    const made = vi.spyOn(gpu.device, "createBindGroup");
    const [a, b] = [pool.storage("a", 1024), pool.storage("b", 1024)];
    const step = () => {
      for (const out of [a, b, { buffer: a, offset: 256, size: 256 }]) {
        queue.dispatch(put, { offset: zero, out }, { at: 0, value: 1, wrapped: 0 });
      }
    };
    step();
    expect(made).toHaveBeenCalledTimes(3);
    for (let i = 0; i < 10; i++) step();
    expect(made).toHaveBeenCalledTimes(3);
    made.mockRestore();
  });

  test("writes to a slice of a buffer", async () => {
    const buffer = pool.storage("sliced", 1024);
    queue.dispatch(put, { offset: zero, out: { buffer, offset: 512, size: 256 } }, { at: 3, value: 7, wrapped: 0 });
    const values = await read(buffer);
    expect(values.findIndex((value) => value !== 0)).toBe(128 + 3);
  });

  test("takes other constants once they are prepared", async () => {
    const out = pool.storage("out", 16);
    const dispatch = () => queue.dispatch(put, { offset: zero, out }, { at: 0, value: 2, wrapped: 0 }, { SCALE: 3 });
    expect(dispatch).toThrow("kernel test.put SCALE=3 was dispatched before it was prepared");
    await queue.pipelines.prepare(put, { SCALE: 3 });
    dispatch();
    expect((await read(out))[0]).toBe(6);
  });

  test("of no workgroups does nothing, of too many is an error", async () => {
    const out = pool.storage("out", 16);
    queue.dispatch(put, { offset: zero, out }, { at: 0, value: -1, wrapped: 0 });
    expect(await read(out)).toEqual(new Float32Array(4));
    const dispatch = () => queue.dispatch(put, { offset: zero, out }, { at: 0, value: 70_000, wrapped: 0 });
    expect(dispatch).toThrow("test.put: expected at most 65535 workgroups a dimension, got 70000×1×1");
  });

  test("without a buffer is an error naming the binding", () => {
    const dispatch = () => queue.dispatch(put, { offset: zero } as never, { at: 0, value: 1, wrapped: 0 });
    expect(dispatch).toThrow("test.put: expected a buffer for binding out, got none");
  });
});

describe("order", () => {
  test("dispatches, copies, clears and writes happen as recorded", async () => {
    const [out, copied, cleared] = [pool.storage("out", 16), pool.storage("copied", 16), pool.storage("cleared", 16)];
    const offset = pool.storage("offset", 16);
    const dispatch = (at: number) => queue.dispatch(put, { offset, out }, { at, value: 1, wrapped: 0 });
    dispatch(0);
    queue.copy(out, 0, copied, 0, 16); // sees 1 at 0
    queue.write(offset, 0, Float32Array.of(10));
    dispatch(1);
    queue.copy(out, 0, cleared, 0, 16); // sees 1 at 0, 11 at 1
    queue.clear(cleared, 0, 4);
    queue.clear(offset);
    dispatch(2);
    expect(await read(copied)).toEqual(Float32Array.of(1, 0, 0, 0));
    expect(await read(cleared)).toEqual(Float32Array.of(0, 11, 0, 0));
    expect(await read(out)).toEqual(Float32Array.of(1, 11, 1, 0));
  });

  test("submits are cut where work is large, and pace waits for them", async () => {
    const submitted = vi.spyOn(gpu.device.queue, "submit");
    const out = pool.storage("out", 256);
    for (let at = 0; at < 8; at++) queue.dispatch(put, { offset: zero, out }, { at, value: 1, wrapped: 0 }, {}, 1e13);
    expect(submitted).toHaveBeenCalledTimes(8);
    await queue.pace();
    submitted.mockRestore();
    expect((await read(out)).slice(0, 9)).toEqual(Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0));
  });
});

describe("a shader that does not compile", () => {
  test("is cited with file and line, as written", async () => {
    const broken = {
      ...put,
      source: `#import shared/lines\n${WGSL.replace("p.value", "p.valeu")}`,
      name: "broken.put",
    };
    const prepared = queue.pipelines.prepare({ ...broken, fragments: { "shared/lines": "\n\n\n" } });
    // Line 10 of WGSL, whose first is empty, after one line of import.
    await expect(prepared).rejects.toThrow(/^shaders\/broken\.wgsl:10:\d+ .*valeu/);
  });

  test("in a fragment, too", async () => {
    const broken = { ...put, source: `#import shared/bad\n${WGSL}`, name: "broken2.put" };
    const prepared = queue.pipelines.prepare({
      ...broken,
      fragments: { "shared/bad": "fn f() {}\nfn g() { h(); }" },
    });
    await expect(prepared).rejects.toThrow(/^shaders\/shared\/bad\.wgsl:2:\d+ .*h/);
  });
});

test("a buffer over the device's limit is an error naming it", () => {
  const bytes = gpu.device.limits.maxStorageBufferBindingSize + 16;
  expect(() => pool.storage("logits", bytes)).toThrow(`expected buffer "logits" within this device's 134217728 bytes`);
});

test("buffers are freed after what was recorded with them, and others are bound anew", async () => {
  const own = new BufferPool(gpu);
  const kept = pool.storage("kept", 16);
  const [first, second] = [own.storage("first", 16), own.storage("second", 16)];
  queue.dispatch(put, { offset: first, out: kept }, { at: 0, value: 1, wrapped: 0 });
  queue.release(own, [first]);
  queue.dispatch(put, { offset: second, out: kept }, { at: 1, value: 2, wrapped: 0 });
  queue.release(own);
  expect(own.bytes).toBe(0);
  queue.dispatch(put, { offset: zero, out: kept }, { at: 2, value: 3, wrapped: 0 });
  expect(await read(kept)).toEqual(Float32Array.of(1, 2, 3, 0));
});

test("an error that nobody caught ends the next read, and only that one", async () => {
  const other = await openGpu(create([]), { limits: "default" });
  const otherQueue = new CommandQueue(other);
  const buffer = new BufferPool(other).storage("x", 16);
  other.device.createBuffer({ size: 16, usage: 0 });
  await expect(otherQueue.read(buffer)).rejects.toThrow(GpuError);
  expect(new Float32Array(await otherQueue.read(buffer))).toEqual(new Float32Array(4));
  other.destroy();
});

test("a lost device ends reads instead of hanging them", async () => {
  const lost = await openGpu(create([]), { limits: "default" });
  const lostQueue = new CommandQueue(lost);
  const buffer = new BufferPool(lost).storage("x", 16);
  lost.device.destroy();
  await expect(lostQueue.read(buffer)).rejects.toThrow();
  await expect(lost.lost).resolves.toMatchObject({ reason: "destroyed" });
});

describe("reading back", () => {
  test("creates no buffer once one of its size is there, also where reads overlap and for other sizes below it", async () => {
    const source = pool.upload(
      "source",
      Float32Array.from({ length: 256 }, (_, i) => i),
    );
    const two = async () => Promise.all([queue.read(source, 0, 16), queue.read(source, 32, 40)]);
    await two();
    const created = vi.spyOn(gpu.device, "createBuffer");
    const [first, second] = await two();
    expect(new Float32Array(first)).toEqual(Float32Array.of(0, 1, 2, 3));
    expect(new Float32Array(second)).toEqual(Float32Array.from({ length: 10 }, (_, i) => 8 + i));
    expect(created).not.toHaveBeenCalled();
    created.mockRestore();
  });
});

test("entry points of one source share its module", async () => {
  const created = vi.spyOn(gpu.device, "createShaderModule");
  const source = WGSL.replace("override SCALE: u32 = 1u;", "override SCALE: u32 = 2u;");
  const shared = { ...put, name: "shared.put", source };
  await Promise.all([3, 4].map((SCALE) => queue.pipelines.prepare(shared, { SCALE })));
  await queue.pipelines.prepare({ ...shared, name: "shared.again" });
  expect(created).toHaveBeenCalledTimes(1);
  created.mockRestore();
});

test("a dropped pipeline is gone, also one that compiles, until it is prepared again", async () => {
  const dispatch = () => queue.pipelines.get(put, { SCALE: 5 });
  await queue.pipelines.prepare(put, { SCALE: 5 });
  dispatch();
  queue.pipelines.drop(put, { SCALE: 5 });
  expect(dispatch).toThrow("before it was prepared");
  const compiling = queue.pipelines.prepare(put, { SCALE: 5 });
  queue.pipelines.drop(put, { SCALE: 5 });
  await compiling;
  expect(dispatch).toThrow("before it was prepared");
  const dropped = queue.pipelines.prepare(put, { SCALE: 5 });
  queue.pipelines.drop(put, { SCALE: 5 });
  await Promise.all([dropped, queue.pipelines.prepare(put, { SCALE: 5 })]);
  dispatch();
});
