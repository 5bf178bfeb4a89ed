/** Test helper: the bundled model's file, opened. */
import { readFileSync } from "node:fs";
import { bytesSource } from "./gguf/byteSource.ts";
import { type GgufFile, openGguf } from "./gguf/gguf.ts";

export function bundledGguf(): Promise<GgufFile> {
  const file = readFileSync(new URL("../../public/models/obp-mini.gguf", import.meta.url));
  return openGguf(bytesSource(file, "obp-mini.gguf"));
}
