/** The method's later stages against PyTorch in f64 on the bundled model: reference/method_goldens.py makes the goldens. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { blobSource } from "../model/gguf/byteSource.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { Llama } from "../model/llama.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { testMethod } from "./methodGoldens.ts";

let llama: Llama;
let tokenizer: Tokenizer;

beforeAll(async () => {
  const file = readFileSync(new URL("../../public/models/obp-mini.gguf", import.meta.url));
  const gguf = await openGguf(blobSource(new Blob([file]), "obp-mini.gguf"));
  tokenizer = Tokenizer.fromGguf(gguf);
  llama = await Llama.load(await testGpu(), gguf);
});
afterAll(() => llama.destroy());

describe("bundled model against PyTorch", { timeout: 900_000 }, () => {
  testMethod("bundled", () => ({ llama, tokenizer }), { curveSteps: 20, options: true });
});
