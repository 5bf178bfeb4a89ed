/** The memory that is reckoned beforehand is what training then holds. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { PAPER_SFT } from "./config.ts";
import { trainingBytes, weightBytes } from "./memory.ts";
import { Trainer } from "./trainer.ts";

const tiny = new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url);

test.each(["layer", "none"] as const)("checkpointing %s", async (checkpointing) => {
  const gguf = await openGguf(bytesSource(readFileSync(tiny), "tiny.gguf"));
  const llama = await Llama.load(await testGpu(), gguf);
  try {
    const config = { ...PAPER_SFT, checkpointing };
    const ids = Array.from({ length: 100 }, (_, i) => i % llama.config.vocabSize);
    const lora = Lora.create(llama, config, 1);
    const trainer = await Trainer.create(llama, lora, [{ name: "a", ids, responseStart: 90 }], config);
    expect(trainingBytes(llama.config, config, ids.length, checkpointing) / trainer.gpuBytes).toBeCloseTo(1, 1.5);
    expect(weightBytes(gguf) / llama.gpuBytes).toBeCloseTo(1, 1);
    trainer.destroy();
  } finally {
    llama.destroy();
  }
});
