// A real model that runs quickly, for tests: the bundled one with its first layer only.
import { writeFileSync } from "node:fs";
import {
  array,
  BOOL,
  buildGguf,
  f32,
  FLOAT32,
  str,
  STRING,
  u32,
  UINT32,
  ARRAY,
  type TensorSpec,
} from "../model/gguf/buildGguf.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import type { GgufTensor } from "../model/gguf/header.ts";
import type { GgufValue } from "../model/gguf/metadata.ts";
import { GGML_TYPES } from "../model/gguf/types.ts";
import { fileSource } from "./fileSource.ts";

const INT32 = 5;
const bundled = new URL("../../public/models/obp-mini.gguf", import.meta.url).pathname;

/** Writes the model to `path`. @param contextLength tokens; its own is cut to this, so that a sentence can be too long */
export async function writeOneLayerModel(path: string, contextLength: number): Promise<void> {
  const source = await fileSource(bundled);
  try {
    const gguf = await openGguf(source);
    const changed = new Map<string, GgufValue>([
      ...gguf.metadata,
      ["llama.block_count", 1],
      ["llama.context_length", contextLength],
    ]);
    const kept = [...gguf.tensors.values()].filter(({ name }) => !/^blk\.[1-9]/.test(name));
    writeFileSync(
      path,
      buildGguf({
        metadata: [...changed].map(([key, value]) => [key, ...encodeValue(key, value)]),
        tensors: await Promise.all(kept.map(encodeTensor)),
      }),
    );
  } finally {
    await source.close();
  }
}

async function encodeTensor({
  name,
  type,
  shape,
  source,
  offset,
  byteLength,
}: GgufTensor): Promise<[string, TensorSpec]> {
  const data = await source.read(offset, byteLength);
  return [name, { dims: [...shape].reverse(), type: GGML_TYPES[type].id, data }];
}

/** Metadata of the kinds that the bundled model has. */
function encodeValue(key: string, value: GgufValue): [type: number, value: Uint8Array] {
  if (typeof value === "string") {
    return [STRING, str(value)];
  }
  if (typeof value === "boolean") {
    return [BOOL, Uint8Array.of(Number(value))];
  }
  if (typeof value === "number") {
    return Number.isInteger(value) && !/epsilon|freq_base|scale/.test(key)
      ? [UINT32, u32(value)]
      : [FLOAT32, f32(value)];
  }
  if (value instanceof Int32Array) {
    return [ARRAY, array(INT32, Array.from(value, u32))];
  }
  if (Array.isArray(value)) {
    return [
      ARRAY,
      array(
        STRING,
        value.map((text) => str(String(text))),
      ),
    ];
  }
  throw new Error(`expected metadata ${key} of a known kind, got ${typeof value}`);
}
