#!/usr/bin/env node
// One prompt through our forward, onnxruntime-web (WebGPU) and wllama (CPU) in Chromium, on the same adapter:
//   node bench/browser.mjs [--model FILE.gguf] [--tokens 128] [--rounds 3] [--python PYTHON] [--no-wllama] [--json]
// PYTHON has reference/requirements.txt installed; the ONNX files are made once, in the system's temporary folder.
import { spawnSync } from "node:child_process";
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { build } from "esbuild";
import { args, executablePath } from "./chromium.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    model: { type: "string", default: join(root, "public/models/obp-mini.gguf") },
    tokens: { type: "string", default: "128" },
    rounds: { type: "string", default: "3" },
    python: { type: "string", default: "python3" },
    "no-wllama": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const TYPES = {
  ".html": "text/html",
  ".mjs": "text/javascript",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** Made anew only where the model is newer. */
function onnxFile(bits) {
  const name = basename(values.model, ".gguf");
  const file = join(tmpdir(), "obp-bench-onnx", `${name}.${bits}.onnx`);
  if (!existsSync(file) || statSync(file).mtimeMs < statSync(values.model).mtimeMs) {
    const words = ["export_onnx.py", values.model, file, "--bits", String(bits)];
    const { status, stderr } = spawnSync(values.python, words, { cwd: join(root, "reference"), encoding: "utf8" });
    if (status !== 0) {
      throw new Error(`expected ${values.python} to write ${file}, got: ${stderr?.trim().split("\n").at(-1)}`);
    }
  }
  return file;
}

const onnx = { f32: onnxFile(32), "4 bits": onnxFile(4) };
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ["bench/browserPage.ts"],
  bundle: true,
  write: false,
  format: "esm",
  target: "es2023",
  loader: { ".wgsl": "text", ".woff": "binary" },
  logLevel: "error",
});

const folders = { ort: "node_modules/onnxruntime-web/dist", wllama: "node_modules/@wllama/wllama/esm/wasm" };
function fileOf(path) {
  const [, folder, name] = path.split("/");
  if (path === "/model.gguf") return values.model;
  if (folder === "onnx")
    return Object.values(onnx)
      .flatMap((file) => [file, `${file}.data`])
      .find((f) => basename(f) === name);
  return Object.hasOwn(folders, folder) ? join(root, folders[folder], basename(name ?? "")) : undefined;
}
const server = createServer((request, response) => {
  const path = decodeURIComponent(request.url ?? "/");
  if (path === "/" || path === "/page.js") {
    response.writeHead(200, { ...ISOLATION, "Content-Type": path === "/" ? "text/html" : "text/javascript" });
    response.end(path === "/" ? '<!doctype html><script type="module" src="/page.js"></script>' : outputFiles[0].text);
    return;
  }
  const file = fileOf(path);
  if (file === undefined || !existsSync(file)) {
    response.writeHead(404, ISOLATION).end();
    return;
  }
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  response.writeHead(200, { ...ISOLATION, "Content-Type": type, "Content-Length": statSync(file).size });
  createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({
  executablePath,
  args,
});
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error.message}`));
  page.on("requestfailed", (request) => console.error(`not fetched: ${request.url()}`));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => "browserBench" in globalThis);
  const found = await page.evaluate((options) => globalThis.browserBench(options), {
    tokens: Number(values.tokens),
    rounds: Number(values.rounds),
    onnx: Object.fromEntries(Object.entries(onnx).map(([name, file]) => [name, `/onnx/${basename(file)}`])),
    wllama: !values["no-wllama"],
  });
  if (values.json) {
    console.log(JSON.stringify({ model: basename(values.model), browser: browser.version(), ...found }, null, 2));
  } else {
    console.log(`${basename(values.model)}, ${found.tokens} tokens, Chromium ${browser.version()}, ${found.adapter}`);
    for (const { name, seconds, ratio, difference } of found.rows) {
      const differs =
        difference === null ? "" : `  logits differ by ${difference.toExponential(1)} of their rms at most`;
      console.log(
        `${name.padEnd(56)} ${seconds.toFixed(3).padStart(8)} s  ${ratio.toFixed(2).padStart(6)} × ours${differs}`,
      );
    }
    found.notes.forEach((note) => console.log(note));
  }
} finally {
  await browser.close();
  server.close();
}
