/** Once it runs, training creates nothing on the device: no buffer, bind group, module or pipeline. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { created } from "../gpu/testCreated.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "./config.ts";
import { dpoPair } from "./dpoExamples.ts";
import { STAGE_DEFAULTS } from "./presets.ts";
import { Trainer } from "./trainer.ts";

const gpu = await testGpu();
let llama: Llama;
beforeAll(async () => {
  const file = readFileSync(new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url));
  llama = await Llama.load(gpu, await openGguf(bytesSource(file, "tiny.gguf")));
});
afterAll(() => llama.destroy());

/** The first step creates something, those after it nothing. */
async function expectSteady(trainer: Trainer): Promise<void> {
  expect(await created(gpu, () => trainer.step())).not.toEqual([]);
  expect(
    await created(gpu, async () => {
      await trainer.step();
      await trainer.step();
    }),
  ).toEqual([]);
  trainer.destroy();
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
  await expectSteady(trainer);
  lora.destroy();
});

test("from the second step of DPO on", async () => {
  const config = { ...STAGE_DEFAULTS.dpo, ...{ rank: 4, gradAccumSteps: 2, epochs: 4 } };
  const lora = Lora.create(llama, config, config.seed);
  const pair = (name: string, length: number) => {
    const answer = (step: number) => ({
      ids: Array.from({ length }, (_, i) => ((i < length - 4 ? 7 : step) * i + length) % llama.config.vocabSize),
      responseStart: length - 4,
    });
    return { ...dpoPair(name, answer(5), answer(11)), reference: { chosen: -10, rejected: -10 } };
  };
  const trainer = await Trainer.createDpo(llama, lora, [pair("a", 9), pair("b", 12)], config);
  await expectSteady(trainer);
  lora.destroy();
});
