/** The method's later stages against PyTorch in f64 on the bundled model: reference/method_goldens.py makes the goldens. */
import { afterAll, beforeAll, describe } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { Llama } from "../model/llama.ts";
import { bundledGguf } from "../model/testBundled.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { testMethod } from "./methodGoldens.ts";

let llama: Llama;
let tokenizer: Tokenizer;

beforeAll(async () => {
  const gguf = await bundledGguf();
  tokenizer = Tokenizer.fromGguf(gguf);
  llama = await Llama.load(await testGpu(), gguf);
});
afterAll(() => llama.destroy());

describe("bundled model against PyTorch", { timeout: 900_000 }, () => {
  testMethod("bundled", () => ({ llama, tokenizer }), { curveSteps: 20, options: true });
});
