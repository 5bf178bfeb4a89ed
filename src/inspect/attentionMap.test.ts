/** Attention maps of the bundled model against PyTorch's eager attention, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { Llama } from "../model/llama.ts";
import { bundledGguf } from "../model/testBundled.ts";
import { testAttention } from "./attentionGoldens.ts";
import { attentionMaps, attentionMass, type HeadChoice } from "./attentionMap.ts";

let llama: Llama;
beforeAll(async () => {
  llama = await Llama.load(await testGpu(), await bundledGguf());
});
afterAll(() => llama.destroy());

testAttention("bundled", () => llama, 1e-5);

const ids = [5, 9, 20, 31, 34];
const asked = { layers: [0], head: "mean", rows: [4], columns: 5 } as const;

test("a row of all its keys sums to 1, and a key past its row has nothing", async () => {
  const [map = new Float32Array()] = await attentionMaps(llama, null, ids, { ...asked, rows: [4, 2] });
  const sums = [map.slice(0, 5), map.slice(5)].map((row) => row.reduce((sum, value) => sum + value, 0));
  expect(sums[0]).toBeCloseTo(1, 5);
  expect(sums[1]).toBeCloseTo(1, 5);
  expect([...map.slice(8)]).toEqual([0, 0]);
});

test("layers are told as they begin, and a stop ends the pass", async () => {
  const heard: [number, number][] = [];
  const stop = new AbortController();
  const onProgress = (done: number, total: number): void => {
    heard.push([done, total]);
    if (done === 2) stop.abort();
  };
  const stopped = attentionMass(llama, null, ids, [4], [[1]], { signal: stop.signal, onProgress });
  await expect(stopped).rejects.toThrow("aborted");
  const total = llama.config.layers;
  expect(heard).toEqual([
    [0, total],
    [1, total],
    [2, total],
  ]);
});

describe("errors", () => {
  test.each<[number, HeadChoice, string]>([
    [8, "mean", "expected a layer from 0 to 7, those of OBP Mini, got 8"],
    [-1, 0, "expected a layer from 0 to 7"],
    [0.5, 0, "got 0.5"],
    [7, 9, "expected a head from 0 to 8, those of OBP Mini, or mean or all, got 9"],
  ])("layer %d, head %s", async (layer, head, message) => {
    await expect(attentionMaps(llama, null, ids, { ...asked, layers: [0, layer], head })).rejects.toThrow(message);
  });

  test.each([
    { rows: [5], columns: 5 },
    { rows: [], columns: 5 },
    { rows: [1], columns: 6 },
    { rows: [1], columns: 0 },
  ])("rows $rows, $columns columns", async (wrong) => {
    await expect(attentionMaps(llama, null, ids, { ...asked, ...wrong })).rejects.toThrow("within the 5 tokens");
  });

  test("a set with a token that is not there", async () => {
    await expect(attentionMass(llama, null, ids, [4], [[7]])).rejects.toThrow("within the 5 tokens, got 7");
  });
});
