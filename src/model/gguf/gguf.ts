/** Opening a GGUF model: one file, or all files of a split set. */
import type { ByteSource } from "./byteSource.ts";
import { GgufError } from "./ggufError.ts";
import { readHeader, type GgufTensor, type Header } from "./header.ts";
import { countValue, quoted, type GgufValue, type Metadata } from "./metadata.ts";

export interface GgufFile {
  /** name of the file that was opened */
  readonly name: string;
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** of all files together */
  readonly fileBytes: number;
}

/**
 * Reads the header of a GGUF file; no tensor's data is read.
 * @param openSibling opens another file of a split set by its name; asked for only where the file is the first of one
 * @throws GgufError in one sentence where the file is broken or of a kind that is not read
 */
export async function openGguf(
  source: ByteSource,
  openSibling?: (fileName: string) => Promise<ByteSource>,
): Promise<GgufFile> {
  const first = await readHeader(source);
  const tensors = new Map(first.tensors.map((tensor) => [tensor.name, tensor]));
  let fileBytes = source.size;
  for await (const [sibling, header] of otherParts(source, first, openSibling)) {
    fileBytes += sibling.size;
    for (const tensor of header.tensors) {
      if (tensors.has(tensor.name)) {
        throw new GgufError(`expected every tensor once in a split set, got ${quoted(tensor.name)} twice`);
      }
      tensors.set(tensor.name, tensor);
    }
  }
  const total = countValue(first.metadata, "split.tensors.count");
  if (total !== undefined && total !== tensors.size) {
    throw new GgufError(
      `expected ${total} tensors in the files of ${source.name}, got ${tensors.size} (the files do not belong together; download them again)`,
    );
  }
  return { name: source.name, version: first.version, metadata: first.metadata, tensors, fileBytes };
}

// llama.cpp's scheme, counted from 1 in names and from 0 in split.no
const PART_NAME = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s;

async function* otherParts(
  source: ByteSource,
  first: Header,
  openSibling: ((fileName: string) => Promise<ByteSource>) | undefined,
): AsyncGenerator<[ByteSource, Header]> {
  const [part, count] = splitPlace(first.metadata);
  if (count <= 1) return;
  const [, prefix, , total] = PART_NAME.exec(source.name) ?? [];
  if (part !== 0) {
    throw new GgufError(
      `expected the first of ${count} files, got file ${part + 1}: ${source.name} (open …-00001-of-…)`,
    );
  }
  if (prefix === undefined || Number(total) !== count) {
    throw new GgufError(
      `expected the first of ${count} files to be named …-00001-of-${String(count).padStart(5, "0")}.gguf, got ${source.name} (give it its own name back)`,
    );
  }
  if (openSibling === undefined) {
    throw new GgufError(
      `expected a model in one file, got the first of ${count}: ${source.name} (open all of them together)`,
    );
  }
  for (let i = 1; i < count; i++) {
    const name = `${prefix}-${String(i + 1).padStart(5, "0")}-of-${total ?? ""}.gguf`;
    const sibling = await openSibling(name);
    const header = await readHeader(sibling);
    const [place, of] = splitPlace(header.metadata);
    if (place !== i || of !== count) {
      throw new GgufError(
        `expected ${name} to be file ${i + 1} of ${count}, got file ${place + 1} of ${of} by its metadata`,
      );
    }
    yield [sibling, header];
  }
}

function splitPlace(metadata: Metadata): [part: number, count: number] {
  return [countValue(metadata, "split.no") ?? 0, countValue(metadata, "split.count") ?? 1];
}
