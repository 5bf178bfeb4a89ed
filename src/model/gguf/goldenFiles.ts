/** Reads reference/goldens/gguf, which reference/gguf_goldens.py makes; for tests. */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { GGML_TYPE_NAMES } from "./types.ts";

const folder = new URL("../../../reference/goldens/gguf/", import.meta.url);

export function goldenBytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(name, folder)));
}

function golden<TSchema extends v.GenericSchema>(name: string, schema: TSchema): v.InferOutput<TSchema> {
  return v.parse(schema, JSON.parse(new TextDecoder().decode(goldenBytes(name))));
}

const shape = v.tuple([v.number(), v.number()]);
const tensors = v.record(
  v.string(),
  v.object({
    file: v.string(),
    type: v.picklist(GGML_TYPE_NAMES),
    shape: v.array(v.number()),
    offset: v.number(),
    byteLength: v.number(),
    sha256: v.string(),
  }),
);

export const blocksGolden = () =>
  golden("blocks.json", v.object({ shapes: v.record(v.string(), shape), finiteF16Sha256: v.string() }));

export const tinyGolden = () =>
  golden(
    "tiny.json",
    v.object({
      scalars: v.record(v.string(), v.union([v.number(), v.string(), v.boolean()])),
      arrays: v.record(v.string(), v.array(v.unknown())),
      tensors,
    }),
  );

export const splitGolden = () => golden("split.json", v.object({ tensors }));
