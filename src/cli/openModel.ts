// --model: a GGUF file, the first file of a split set, or `bundled`.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openGguf, type GgufFile } from "../model/gguf/gguf.ts";
import { fileSource } from "./fileSource.ts";
import type { Flag } from "./verb.ts";

export const modelFlag = {
  kind: "text",
  value: "FILE|bundled",
  required: true,
  help: "GGUF file, first file of a split set, or bundled",
} as const satisfies Flag;

const BUNDLED = "obp-mini.gguf";

/** Opens the model that `--model` names; only its header is read. @throws GgufError, or the system's error */
export async function openModel(model: string): Promise<GgufFile> {
  const path = model === "bundled" ? bundledPath() : model;
  const folder = dirname(path);
  return openGguf(await fileSource(path), (name) => fileSource(join(folder, name)));
}

/** In the project's public/models, or beside the single file that `npm run build` makes. */
function bundledPath(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const root = process.env["OBP_ROOT"];
  const candidates = [
    ...(root === undefined ? [] : [join(root, "public", "models", BUNDLED)]),
    join(here, "models", BUNDLED),
    join(here, BUNDLED),
  ];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(
      `expected the bundled model at ${candidates.join(" or ")}, got no file there (name a GGUF file instead)`,
    );
  }
  return found;
}
