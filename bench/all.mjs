#!/usr/bin/env node
// Every figure of RESULTS.md about speed and memory, one after another on this machine's adapter, as text:
//   node bench/all.mjs [PYTHON]
// PYTHON has reference/requirements.txt installed; OBP_MODEL_DIR names the folder of SmolLM2.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = process.env.OBP_MODEL_DIR;
if (folder === undefined || folder === "") {
  throw new Error("expected the folder of SmolLM2-135M-Instruct.Q4_1.gguf in OBP_MODEL_DIR, got none");
}
const smollm = join(folder, "SmolLM2-135M-Instruct.Q4_1.gguf");
const python = process.argv[2] ?? "python3";
const obp = (...words) => ["bin/obp.mjs", "bench", ...words];
const eight = ["--shape", "llama-3.1-8b", "--all-linear", "--tokens", "128", "--layers", "2", "--repeat", "0"];
const commands = [
  obp("matmul"),
  obp("train", "--shape", smollm),
  obp("train", ...eight, "--quantization", "Q4_0"),
  obp("train", ...eight, "--quantization", "Q4_K_M"),
  obp("decode", "--shape", smollm),
  obp("packing", "--shape", smollm),
  obp("dpo"),
  obp("tsne", "--repeat", "1"),
  obp("load", "--shape", smollm),
  obp("scaling", "--out", "bench/scaling.svg"),
  ["bench/browser.mjs", "--python", python],
  ["bench/browser.mjs", "--python", python, "--model", smollm],
];
for (const words of commands) {
  console.log(`\n$ node ${words.join(" ")}`);
  const { status } = spawnSync(process.execPath, words, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) {
    console.log(`ended with ${status ?? "a signal"}`);
    process.exitCode = 1;
  }
}
