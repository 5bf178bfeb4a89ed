/** Once it runs, training creates nothing on the device: no buffer, bind group, module or pipeline. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "./config.ts";
import { Trainer } from "./trainer.ts";

const gpu = await testGpu();
let llama: Llama;
beforeAll(async () => {
  const file = readFileSync(new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url));
  llama = await Llama.load(gpu, await openGguf(bytesSource(file, "tiny.gguf")));
});
afterAll(() => llama.destroy());

/** The calls of the device's methods that create something, by name, while `work` runs. */
async function created(work: () => Promise<unknown>): Promise<string[]> {
  const calls: string[] = [];
  const { device } = gpu;
  const spies = [
    vi.spyOn(device, "createBuffer").mockName("buffer"),
    vi.spyOn(device, "createBindGroup").mockName("bind group"),
    vi.spyOn(device, "createComputePipelineAsync").mockName("pipeline"),
    vi.spyOn(device, "createComputePipeline").mockName("pipeline"),
    vi.spyOn(device, "createShaderModule").mockName("module"),
  ];
  try {
    await work();
    for (const spy of spies) {
      calls.push(...spy.mock.calls.map(([descriptor]) => `${spy.getMockName()} ${descriptor.label ?? ""}`));
    }
  } finally {
    spies.forEach((spy) => spy.mockRestore());
  }
  return calls;
}

test.each([
  { contrastiveWeight: 0, checkpointing: "none", startsAhead: false },
  { contrastiveWeight: 0.5, checkpointing: "layer", startsAhead: true },
] as const)("from the second step on, with %o", async ({ startsAhead, ...changes }) => {
  const config = { ...PAPER_SFT, ...{ rank: 4, gradAccumSteps: 2, epochs: 4 }, ...changes };
  const lora = Lora.create(llama, config, config.seed);
  const example = (name: string, length: number) => ({
    name,
    ids: Array.from({ length }, (_, i) => (7 * i + length) % llama.config.vocabSize),
    responseStart: length - 4,
    contrastive: { type: [0], entities: [[1, 2]], neighbours: [4] },
  });
  const trainer = await Trainer.create(llama, lora, [example("a", 9), example("b", 12)], config);
  trainer.startsAhead = startsAhead;
  expect(await created(() => trainer.step())).not.toEqual([]);
  expect(
    await created(async () => {
      await trainer.step();
      await trainer.step();
    }),
  ).toEqual([]);
  trainer.destroy();
  lora.destroy();
});
