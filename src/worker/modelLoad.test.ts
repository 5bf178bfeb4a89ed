/** Weights on their way to the GPU: who waits for them, who may stop them, and that nothing of them stays behind. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { readModel, type OpenModel } from "./modelFacts.ts";
import { ModelLoad } from "./modelLoad.ts";

const gpu = await testGpu();
const file = readFileSync(new URL("../../public/models/obp-mini.gguf", import.meta.url));
const model = await readModel(new Blob([file]), "obp-mini.gguf", { origin: "file", cached: false });
const LATE = "blk.3.ffn_up.weight";

/** The model, of which the tensor is read only when `read` says so. */
function held(read: () => Promise<void>, from: OpenModel = model, name = LATE): OpenModel {
  const tensors = new Map(from.gguf.tensors);
  const late = tensors.get(name);
  if (late === undefined) throw new Error(`expected ${name} in the bundled model`);
  const { source } = late;
  tensors.set(name, {
    ...late,
    source: { ...source, read: (offset, length) => read().then(() => source.read(offset, length)) },
  });
  const gguf: GgufFile = { ...from.gguf, tensors };
  return { ...from, gguf };
}

function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const never = new AbortController().signal;

test("a job that is stopped waits no longer; the loading goes on, and the next one gets its weights", async () => {
  const { opened, open } = gate();
  const load = new ModelLoad(
    gpu,
    held(() => opened),
    null,
    () => undefined,
  );
  const job = new AbortController();
  const waiting = load.wait(job.signal);
  job.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
  await expect(load.wait(job.signal)).rejects.toThrow("stopped");
  open();
  const llama = await load.wait(never);
  expect(llama.config.layers).toBe(8);
  expect(await load.wait(never)).toBe(llama);
  load.cancel();
});

test("loading that a job began ends with the job", async () => {
  const before = gpu.allocated.bytes;
  const job = new AbortController();
  const { opened, open } = gate();
  const load = new ModelLoad(
    gpu,
    held(() => opened),
    job.signal,
    () => undefined,
  );
  job.abort(new Error("stopped"));
  open();
  await expect(load.llama).rejects.toThrow("stopped");
  expect(gpu.allocated.bytes).toBe(before);
});

test("another model takes its place: nothing of it stays on the GPU, on its way or loaded", async () => {
  const before = gpu.allocated.bytes;
  const loaded = new ModelLoad(gpu, model, null, () => undefined);
  await loaded.wait(never);
  expect(gpu.allocated.bytes).toBeGreaterThan(before);
  loaded.cancel();
  await expect.poll(() => gpu.allocated.bytes).toBe(before);
  const { opened, open } = gate();
  const onItsWay = new ModelLoad(
    gpu,
    held(() => opened),
    null,
    () => undefined,
  );
  const waiting = expect(onItsWay.wait(never)).rejects.toThrow("another model was opened");
  onItsWay.cancel();
  open();
  await waiting;
  expect(gpu.allocated.bytes).toBe(before);
});

test("where a tensor cannot be read, all that was uploaded beside it is freed", async () => {
  const before = gpu.allocated.bytes;
  const broken = held(() => Promise.reject(new Error("expected to read, got a file that is gone")));
  const neighbour = held(() => pause(100), broken, "blk.3.ffn_down.weight");
  const load = new ModelLoad(gpu, neighbour, null, () => undefined);
  await expect(load.wait(never)).rejects.toThrow("a file that is gone");
  await pause(300);
  expect(gpu.allocated.bytes).toBe(before);
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
