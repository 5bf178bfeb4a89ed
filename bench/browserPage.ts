/**
 * The page of bench/browser.mjs: one prompt through our forward, onnxruntime-web (WebGPU) and wllama (CPU), in turns. Each
 * gives what comes after the prompt's last token.
 */
import { Wllama } from "@wllama/wllama";
import type * as Ort from "onnxruntime-web";
import { type Gpu, openGpu } from "../src/gpu/device.ts";
import { blobSource } from "../src/model/gguf/byteSource.ts";
import { openGguf } from "../src/model/gguf/gguf.ts";
import { forward, PLAIN_PASS, writeTokens } from "../src/model/forward.ts";
import { Head } from "../src/model/head.ts";
import { Llama } from "../src/model/llama.ts";
import { Tokenizer } from "../src/model/tokenizer.ts";
import { Workspace } from "../src/model/workspace.ts";

/** Some hundred tokens of plain text. */
const PROMPT =
  "The ferry leaves Aarhus at seven and is in Odden before the shops open. We left the bicycles at the old mill and walked down to the lake by ourselves. ".repeat(
    4,
  );

export interface BrowserBenchOptions {
  /** Tokens of the prompt at most. */
  readonly tokens: number;
  readonly rounds: number;
  /** ONNX files by what the table calls them. */
  readonly onnx: Readonly<Record<string, string>>;
  readonly wllama: boolean;
}

export interface BrowserRow {
  readonly name: string;
  /** Of one forward; the median. */
  readonly seconds: number;
  /** Its seconds ÷ ours. */
  readonly ratio: number;
  /** Largest difference of a logit from ours, in their root mean square; null where logits do not come out. */
  readonly difference: number | null;
}

interface Contender {
  readonly name: string;
  /** Logits of the prompt's last token, where it gives them. */
  readonly run: () => Promise<Float32Array | null>;
}

export async function browserBench(options: BrowserBenchOptions): Promise<{
  adapter: string;
  tokens: number;
  rows: BrowserRow[];
  notes: string[];
}> {
  const notes: string[] = [];
  const gpu = await openGpu(navigator.gpu);
  const blob = await (await fetch("/model.gguf")).blob();
  const { contender: ours, ids, text } = await openOurs(gpu, blob, options.tokens);
  const contenders: Contender[] = [ours];
  for (const [name, file] of Object.entries(options.onnx)) {
    contenders.push(await openOnnx(name, file, ids));
  }
  if (options.wllama) {
    try {
      contenders.push(await openWllama(blob, text, ids.length));
    } catch (error) {
      notes.push(`wllama did not start: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const seconds = contenders.map(() => [] as number[]);
  const logits: (Float32Array | null)[] = [];
  for (let round = 0; round <= options.rounds; round++) {
    for (const [i, { run }] of contenders.entries()) {
      const started = performance.now();
      logits[i] = await run();
      if (round > 0) seconds[i]?.push((performance.now() - started) / 1000);
    }
  }
  const median = (i: number) => seconds[i]?.toSorted((a, b) => a - b)[Math.floor(options.rounds / 2)] ?? NaN;
  const rows = contenders.map(({ name }, i) => ({
    ...{ name, seconds: median(i), ratio: median(i) / median(0) },
    difference: difference(logits[0] ?? null, logits[i] ?? null),
  }));
  return { adapter: gpu.adapterName, tokens: ids.length, rows, notes };
}

async function openOurs(gpu: Gpu, blob: Blob, tokens: number) {
  const gguf = await openGguf(blobSource(blob, "model.gguf"));
  const tokenizer = Tokenizer.fromGguf(gguf);
  // The peer that reads text gets the text of whole words, so that it sees the same tokens.
  const words = PROMPT.trim().split(" ");
  let text = words.join(" ");
  while (tokenizer.encode(text).ids.length > tokens) {
    words.pop();
    text = words.join(" ");
  }
  const ids = [...tokenizer.encode(text).ids];
  const llama = await Llama.load(gpu, gguf);
  const workspace = new Workspace(llama, ids.length, 4, "inference");
  const head = new Head(llama);
  const pass = { ...PLAIN_PASS, llama, lora: null, workspace, rows: ids.length };
  const hidden = workspace.residual[llama.config.layers];
  if (hidden === undefined) throw new Error("expected a residual stream after the last layer");
  const run = async () => {
    writeTokens(pass, ids);
    await forward(pass);
    return head.logits(hidden, ids.length - 1);
  };
  return { contender: { name: "ours, quantized as the file is", run }, ids, text };
}

async function openOnnx(name: string, file: string, ids: readonly number[]): Promise<Contender> {
  // Not bundled: it finds its WebAssembly beside itself.
  const module = "/ort/ort.webgpu.bundle.min.mjs";
  const ort = (await import(module)) as typeof Ort;
  const data = `${file.split("/").at(-1) ?? ""}.data`;
  const session = await ort.InferenceSession.create(file, {
    executionProviders: ["webgpu"],
    externalData: [{ path: data, data: `${file}.data` }],
  });
  return {
    name: `onnxruntime-web ${ort.env.versions.web ?? ""} (WebGPU), ${name}`,
    run: async () => {
      const input = new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [ids.length]);
      const { logits } = await session.run({ input_ids: input });
      return (await logits?.getData()) as Float32Array;
    },
  };
}

async function openWllama(blob: Blob, text: string, tokens: number): Promise<Contender> {
  const wllama = new Wllama({ default: "/wllama/wllama.wasm" });
  await wllama.loadModel([blob], { n_ctx: 512, n_gpu_layers: 0, n_threads: navigator.hardwareConcurrency });
  return {
    name: "wllama (CPU), quantized as the file is",
    run: async () => {
      // cache_prompt is llama.cpp's, which the type lacks: without it a second run would find the first one's keys.
      const asked = { prompt: text, max_tokens: 1, temperature: 0, cache_prompt: false };
      const { timings } = await wllama.createCompletion(asked);
      if (timings?.prompt_n !== tokens) {
        throw new Error(`expected wllama to run ${tokens} tokens, got ${timings?.prompt_n ?? "no count"}`);
      }
      return null;
    },
  };
}

function difference(ours: Float32Array | null, theirs: Float32Array | null): number | null {
  if (ours === null || theirs === null) return null;
  const rms = Math.sqrt(ours.reduce((sum, value) => sum + value * value, 0) / ours.length);
  return ours.reduce((most, value, i) => Math.max(most, Math.abs(value - (theirs[i] ?? NaN))), 0) / rms;
}

Object.assign(globalThis, { browserBench });
