/** Entity representations through models: against PyTorch's cosines on the bundled model, and the plan of what is read. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { contrastivePool } from "../kernels/contrastive.ts";
import { forward, type Pass, PLAIN_PASS, writeTokens } from "../model/forward.ts";
import { Llama } from "../model/llama.ts";
import { bundledGguf } from "../model/testBundled.ts";
import { Lora } from "../model/lora.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { Workspace } from "../model/workspace.ts";
import type { Document } from "../ner/document.ts";
import { goldenAdapter } from "../train/goldens.ts";
import { readMethodGolden } from "../train/methodGoldens.ts";
import { PassBuffers } from "../train/passBuffers.ts";
import { gatherRepresentations, planSpans } from "./representations.ts";
import { layOut } from "./spaceFigure.ts";
import { MOST_POINTS, TSNE_DEFAULTS } from "./tsne.ts";
import { normalized, type Vectors } from "./vectors.ts";

let llama: Llama;
let tokenizer: Tokenizer;
beforeAll(async () => {
  const gguf = await bundledGguf();
  tokenizer = Tokenizer.fromGguf(gguf);
  llama = await Llama.load(await testGpu(), gguf);
});
afterAll(() => llama.destroy());

const golden = readMethodGolden("bundled");
const documents = golden.prompts.map(({ type, sentence, entities }, i): Document => {
  return { id: `d${i}`, text: sentence, entities: entities.map((entity) => ({ ...entity, type: type.name })) };
});
const types = [...new Map(golden.prompts.map(({ type }) => [type.name, type])).values()];
const everything = { contextLength: 2048, limit: 5000, seed: 1 };

const row = ({ data, d }: Vectors, i: number): number[] => [...data.subarray(i * d, (i + 1) * d)];
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, k) => sum + value * (b[k] ?? NaN), 0);

/** e^Q of a prompt's type, of length 1. */
async function typeVector(lora: Lora, ids: readonly number[], typeRows: readonly number[]): Promise<number[]> {
  const { queue, config } = llama;
  const workspace = new Workspace(llama, ids.length, lora.R, "inference");
  const buffers = new PassBuffers(queue, "type");
  const [lists, e] = [buffers.lists("rows", [typeRows]), buffers.buffer("e", config.headDim)];
  const params = { D: config.headDim, heads: config.heads, first: 0, rows: 1, weight: 0 };
  const read = (q: GPUBuffer): void => queue.dispatch(contrastivePool, { x: q, ...lists, e }, params);
  const queryKeys = { layers: [golden.layer], rope: "pre" as const, read };
  const pass: Pass = { ...PLAIN_PASS, llama, lora, workspace, rows: ids.length, queryKeys };
  writeTokens(pass, ids);
  await forward(pass, golden.layer + 1);
  const data = new Float32Array(await queue.read(e, 0, config.headDim * 4));
  buffers.destroy();
  workspace.destroy();
  return [...normalized({ data, n: 1, d: config.headDim }).data];
}

test("keys have PyTorch's cosines with their type, packed prompts and adapter included", async () => {
  const lora = Lora.fromWeights(llama, goldenAdapter(llama, golden));
  const plan = planSpans(tokenizer, documents, types, everything);
  const vectors = await gatherRepresentations(llama, lora, plan, { layer: golden.layer, representation: "key" });
  let compared = 0;
  // Prompts of both ends of a pack; a pass each for their types takes its time.
  for (const i of [0, 4, 5]) {
    const { ids, rows, cosines, entities } = golden.prompts[i] ?? {};
    if (!ids || !rows?.mean || !cosines || !entities) continue;
    const query = await typeVector(lora, ids, rows.mean.type);
    for (const [j, { start }] of entities.entries()) {
      const index = plan.spans.findIndex((span) => span.document === `d${i}` && span.start === start);
      expect(dot(query, row(vectors, index))).toBeCloseTo(cosines.entities[j] ?? NaN, 4);
      compared++;
    }
  }
  lora.destroy();
  expect(compared).toBeGreaterThan(3);
});

test("hidden states of a layer: the model's width, length 1, the same alone as packed", async () => {
  const asked = { layer: 2, representation: "hidden" } as const;
  const all = planSpans(tokenizer, documents, types, everything);
  const vectors = await gatherRepresentations(llama, null, all, asked);
  expect([vectors.n, vectors.d]).toEqual([all.spans.length, llama.config.hiddenSize]);
  const last = all.spans.at(-1);
  const own = documents.filter(({ id }) => id === last?.document);
  const alone = planSpans(
    tokenizer,
    own,
    types.filter(({ name }) => name === last?.type),
    everything,
  );
  const [packed, single] = [
    row(vectors, vectors.n - 1),
    row(await gatherRepresentations(llama, null, alone, asked), alone.spans.length - 1),
  ];
  expect(dot(single, single)).toBeCloseTo(1, 6);
  expect(dot(packed, single)).toBeCloseTo(1, 6);
});

test("an adapter whose training ended in NaN: said before anything is laid out", async () => {
  const sound = Lora.fromWeights(llama, goldenAdapter(llama, golden));
  const weights = await sound.read();
  sound.destroy();
  const tensors = new Map([...weights.tensors].map(([name, one]) => [name, { ...one, data: one.data.map(() => NaN) }]));
  const broken = Lora.fromWeights(llama, { ...weights, tensors });
  const plan = planSpans(tokenizer, documents.slice(0, 2), types, everything);
  const vectors = await gatherRepresentations(llama, broken, plan, { layer: 0, representation: "key" });
  broken.destroy();
  for (const method of ["pca", "tsne"] as const) {
    const choice = { settings: { ...TSNE_DEFAULTS, perplexity: 1 }, start: "random", seed: 1 } as const;
    const laidOut = layOut(llama.queue, vectors, method === "pca" ? { method } : { method, ...choice });
    await expect(laidOut).rejects.toThrow("expected finite vectors, got NaN in number 0 of vector 0 (the model or its");
  }
});

describe("the plan", () => {
  test("of 50,000 entities as many as fit the plane are read, from all documents", () => {
    const text = new Array(10).fill("salt").join(" ");
    const entities = Array.from({ length: 10 }, (_, i) => ({ start: 5 * i, end: 5 * i + 4, type: "food" }));
    const many = Array.from({ length: 5000 }, (_, i): Document => ({ id: `d${i}`, text, entities }));
    const food = [{ name: "food", definition: "what one eats" }];
    const { spans, found, prompts } = planSpans(tokenizer, many, food, { ...everything, limit: MOST_POINTS });
    expect([spans.length, found]).toEqual([5000, 50_000]);
    expect(prompts.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(5000);
    // Of the first tenth of the documents about a tenth: 500 ± 21 in a fair draw.
    const early = spans.filter(({ document }) => Number(document.slice(1)) < 500).length;
    expect(Math.abs(early - 500)).toBeLessThan(100);
  });

  test("samples by seed, keeps the order, and counts all", () => {
    const all = planSpans(tokenizer, documents, types, everything).spans;
    const draw = (seed: number) => planSpans(tokenizer, documents, types, { ...everything, limit: 4, seed });
    const { spans, found, prompts } = draw(3);
    expect([spans.length, found]).toEqual([4, all.length]);
    expect(prompts.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(4);
    const places = spans.map((span) =>
      all.findIndex(
        (other) => other.document === span.document && other.start === span.start && other.type === span.type,
      ),
    );
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(new Set(places).size).toBe(4);
    expect(draw(3)).toEqual(draw(3));
    expect([4, 5, 6, 7].some((seed) => JSON.stringify(draw(seed).spans) !== JSON.stringify(spans))).toBe(true);
  });

  test("names prompts that do not fit, and leaves their entities out", () => {
    const { spans, tooLong } = planSpans(tokenizer, documents, types, { ...everything, contextLength: 20 });
    expect(spans).toEqual([]);
    expect(tooLong[0]?.name).toMatch(/^d\d \/ \w+/);
    expect(tooLong[0]?.tokens).toBeGreaterThan(20);
  });

  test("a layer that the model lacks", async () => {
    const plan = planSpans(tokenizer, documents, types, everything);
    await expect(gatherRepresentations(llama, null, plan, { layer: 99, representation: "key" })).rejects.toThrow(
      "expected a layer from 0 to 7",
    );
  });
});
