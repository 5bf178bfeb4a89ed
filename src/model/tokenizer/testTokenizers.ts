/** Tokenizers for tests: the small ones of reference/goldens/tokenizers, and those of GGUF files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bytesSource } from "../gguf/byteSource.ts";
import { openGguf } from "../gguf/gguf.ts";
import type { GgufValue } from "../gguf/metadata.ts";
import { Tokenizer } from "../tokenizer.ts";

export const FAMILIES = ["smollm", "llama3", "sentencepiece"] as const;
export type Family = (typeof FAMILIES)[number];

interface Fixture {
  metadata: Record<string, unknown>;
  /** ids: of Rust `tokenizers` */
  cases: { text: string; ids: number[] }[];
  /** Of the method, made by reference/prompt.py; without BOS. */
  prompts: {
    name: string;
    definition: string;
    sentence: string;
    entities: string[];
    text: string;
    ids: number[];
    responseStart: number;
  }[];
}

export function readGolden(path: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../../../reference/goldens", path), "utf8"));
}

export function readFixture(family: Family): Omit<Fixture, "metadata"> & { metadata: Map<string, GgufValue> } {
  const fixture = readGolden(`tokenizers/${family}.json`) as Fixture;
  return { ...fixture, metadata: metadataOf(fixture.metadata) };
}

/** Metadata as the GGUF reader gives it: numbers of an array typed. */
export function metadataOf(values: Record<string, unknown>): Map<string, GgufValue> {
  return new Map(
    Object.entries(values).map(([key, value]) => {
      if (key === "tokenizer.ggml.token_type") return [key, Int32Array.from(value as number[])];
      if (key === "tokenizer.ggml.scores") return [key, Float32Array.from(value as number[])];
      return [key, value as GgufValue];
    }),
  );
}

export function fixtureTokenizer(family: Family): Tokenizer {
  return Tokenizer.fromGguf(readFixture(family));
}

async function ggufTokenizer(path: string): Promise<Tokenizer> {
  return Tokenizer.fromGguf(await openGguf(bytesSource(readFileSync(path), path)));
}

export function bundledTokenizer(): Promise<Tokenizer> {
  return ggufTokenizer(join(import.meta.dirname, "../../../public/models/obp-mini.gguf"));
}

export function smollm2Tokenizer(): Promise<Tokenizer> {
  return ggufTokenizer(folderOf("OBP_MODEL_DIR", "SmolLM2-135M-Instruct.Q4_1.gguf"));
}

/** A path inside the folder that an environment variable names. */
export function folderOf(variable: "OBP_MODEL_DIR" | "OBP_DATA_DIR", ...parts: string[]): string {
  const folder = process.env[variable];
  if (folder === undefined)
    throw new Error(
      `expected the folder of real ${variable === "OBP_DATA_DIR" ? "corpora" : "models"} in ${variable}, got nothing`,
    );
  return join(folder, ...parts);
}
