import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ByteSourceError } from "../model/gguf/byteSource.ts";
import { fileSource } from "./fileSource.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obp-file-source-"));
});
afterAll(() => rm(folder, { recursive: true }));

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

it("reads any range of a file", async () => {
  const path = join(folder, "model.gguf");
  await writeFile(path, bytes);
  const source = await fileSource(path);
  expect([source.name, source.size]).toEqual(["model.gguf", 1000]);
  expect(await source.read(0, 1000)).toEqual(bytes);
  expect(await source.read(990, 10)).toEqual(bytes.slice(990));
  expect(await source.read(1000, 0)).toEqual(new Uint8Array(0));
  await expect(source.read(991, 10)).rejects.toThrow(/^expected bytes 991 to 1001 of model\.gguf, got a file of 1000/);
  await source.close();
  await expect(source.read(0, 1)).rejects.toBeInstanceOf(ByteSourceError);
});

it("says so where the file is cut meanwhile", async () => {
  const path = join(folder, "cut.gguf");
  await writeFile(path, bytes);
  const source = await fileSource(path);
  await truncate(path, 600);
  await expect(source.read(500, 200)).rejects.toThrow(/^expected 200 bytes from .*cut\.gguf at 500, got 100 \(was/);
  await source.close();
});

it("refuses what is no file", async () => {
  const missing = fileSource(join(folder, "missing.gguf"));
  await expect(missing).rejects.toThrow(/^expected a file or folder at .*missing\.gguf, got nothing there/);
  await expect(missing).rejects.toBeInstanceOf(ByteSourceError);
  await expect(fileSource(folder)).rejects.toThrow(
    /^expected a file at .*, got a folder or device \(name a file inside it\)$/,
  );
});
