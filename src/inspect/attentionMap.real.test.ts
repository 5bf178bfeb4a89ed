/** Attention maps of SmolLM2-135M-Instruct.Q4_1.gguf (OBP_MODEL_DIR) against PyTorch's eager attention. */
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { fileSource } from "../cli/fileSource.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { testAttention } from "./attentionGoldens.ts";

let llama: Llama;
beforeAll(async () => {
  const folder = process.env["OBP_MODEL_DIR"];
  if (folder === undefined) {
    throw new Error("expected OBP_MODEL_DIR, the folder of SmolLM2-135M-Instruct.Q4_1.gguf, got nothing (set it)");
  }
  const gguf = await openGguf(await fileSource(join(folder, "SmolLM2-135M-Instruct.Q4_1.gguf")));
  llama = await Llama.load(await testGpu(), gguf);
});
afterAll(() => llama.destroy());

testAttention("smollm2", () => llama, 1e-4);
