/** Decoding on the cache against whole passes, on a tiny Llama of mixed weight types and on one with a long context. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, type Mock, vi } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { TestRandom } from "../kernels/testRandom.ts";
import { PAPER_SFT } from "../train/config.ts";
import { scoreExamples } from "../train/score.ts";
import { Trainer } from "../train/trainer.ts";
import { Decoder, type PrefixParts } from "./decoder.ts";
import { buildGguf, type GgufSpec, llamaSpec, u32, UINT32, withMetadata } from "./gguf/buildGguf.ts";
import { bytesSource } from "./gguf/byteSource.ts";
import { openGguf } from "./gguf/gguf.ts";
import { Llama } from "./llama.ts";
import { Lora } from "./lora.ts";
import { decodingParts, sumParts } from "./memoryPlan.ts";
import { filledLora } from "./testLora.ts";
import { Workspace } from "./workspace.ts";

const gpu = await testGpu({ limits: "default" });
const load = async (bytes: Uint8Array) => Llama.load(gpu, await openGguf(bytesSource(bytes, "test.gguf")));
let llama: Llama;
let lora: Lora;
beforeAll(async () => {
  llama = await load(readFileSync(new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url)));
  lora = await filledLora(llama, { rank: 5, targets: ["q_proj", "v_proj", "down_proj"], deviation: 0.2 });
});
afterAll(() => {
  lora.destroy();
  llama.destroy();
});

const idsOf = (model: Llama, length: number, seed: number) => {
  const random = new TestRandom(seed);
  return Array.from({ length }, () => random.integer(model.config.vocabSize));
};

/** log softmax of the token after a branch's last, and what a whole pass over `ids` gives it; picked logits are all logits'. */
async function expectNext(
  model: Llama,
  decoder: Decoder,
  branch: number,
  ids: readonly number[],
  adapter: Lora | null,
) {
  const logits = await decoder.logits(branch);
  const label = ids.length % model.config.vocabSize;
  const top = Math.max(...logits);
  const lse = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
  const whole = { name: "whole", ids: [...ids, label], responseStart: ids.length };
  const [score] = await scoreExamples(model, adapter, [whole]);
  expect((logits[label] ?? NaN) - lse).toBeCloseTo(score?.logprob ?? NaN, 4);
  const some = [label, 0, model.config.vocabSize - 1];
  const [picked] = await decoder.pickedLogits([{ branch, ids: some }]);
  some.forEach((id, index) => expect(picked?.[index]).toBeCloseTo(logits[id] ?? NaN, 4));
}

/** All branches behind one prefix. */
async function startAll(decoder: Decoder, parts: PrefixParts): Promise<void> {
  await decoder.keep([parts]);
  for (let branch = 0; branch < decoder.size.branches; branch++) decoder.restart(branch, parts);
}

test.each([{ adapted: false }, { adapted: true }])(
  "branches of any lengths behind one prefix, in pieces: adapter $adapted",
  async (run) => {
    const adapter = run.adapted ? lora : null;
    const decoder = new Decoder(llama, adapter, { prefixes: 20, branches: 3, branch: 16 });
    const beginning = idsOf(llama, 9, 2);
    const branches = [5, 1, 12].map((length, index) => idsOf(llama, length, 10 + index));
    const [first = [], second = [], third = []] = branches;
    await startAll(decoder, [beginning]);
    await decoder.append([
      { branch: 2, ids: third.slice(0, 4) },
      { branch: 0, ids: first },
    ]);
    await expectNext(llama, decoder, 0, [...beginning, ...first], adapter);
    await decoder.append([
      { branch: 1, ids: second },
      { branch: 2, ids: third.slice(4, 11) },
    ]);
    await decoder.append([{ branch: 2, ids: third.slice(11) }]);
    expect([0, 1, 2].map((branch) => decoder.lengthOf(branch))).toEqual([14, 10, 21]);
    for (const [branch, ids] of branches.entries()) {
      await expectNext(llama, decoder, branch, [...beginning, ...ids], adapter);
    }
    decoder.restart(2, [beginning]);
    await decoder.append([{ branch: 2, ids: second }]);
    await expectNext(llama, decoder, 2, [...beginning, ...second], adapter);
    decoder.forget();
    decoder.restart(1);
    await decoder.append([{ branch: 1, ids: third }]);
    await expectNext(llama, decoder, 1, third, adapter);
    decoder.destroy();
  },
);

test("several places of a run are asked for, in one forward; what is cut off was never there", async () => {
  const decoder = new Decoder(llama, lora, { prefixes: 6, branches: 2, branch: 16 });
  const [beginning, ids, other] = [idsOf(llama, 6, 60), idsOf(llama, 9, 61), idsOf(llama, 4, 62)];
  await startAll(decoder, [beginning]);
  const dispatch = vi.spyOn(llama.queue, "dispatch");
  await decoder.append([
    { branch: 1, ids, places: [2, 5, 9] },
    { branch: 0, ids: other },
  ]);
  expect(dispatch.mock.calls.filter(([{ name }]) => name === "embedding.gather")).toHaveLength(1);
  dispatch.mockRestore();
  decoder.cut(1, 7);
  expect(decoder.lengthOf(1)).toBe(8);
  const [first, second, third] = await Promise.all([0, 1, 2].map((place) => decoder.logits(1, place)));
  const [picked, own] = await decoder.pickedLogits([
    { branch: 1, ids: [3, 1], place: 1 },
    { branch: 0, ids: [2] },
  ]);
  expect(picked?.[0]).toBeCloseTo(second?.[3] ?? NaN, 5);
  expect(picked?.[1]).toBeCloseTo(second?.[1] ?? NaN, 5);
  expect(own?.[0]).toBeCloseTo((await decoder.logits(0))[2] ?? NaN, 5);
  await expectNext(llama, decoder, 1, [...beginning, ...ids.slice(0, 2)], lora);
  // Behind what is left, other tokens: as if the others had never been run.
  await decoder.append([{ branch: 1, ids: other }]);
  await expectNext(llama, decoder, 1, [...beginning, ...ids.slice(0, 2), ...other], lora);
  for (const [logits, count] of [
    [first, 2],
    [second, 5],
    [third, 9],
  ] as const) {
    decoder.restart(0, [beginning]);
    await decoder.append([{ branch: 0, ids: ids.slice(0, count) }]);
    const alone = await decoder.logits(0);
    alone.forEach((logit, id) => expect(logits?.[id]).toBeCloseTo(logit, 4));
  }
  await expect(decoder.logits(1, 1)).rejects.toThrow("expected a place below the 1 of branch 1's last run, got 1");
  expect(() => decoder.cut(1, 7)).toThrow("expected at most the 6 tokens of branch 1 to cut, got 7");
  const many = [{ branch: 0, ids: other, places: [1, 2, 3, 4] }];
  await expect(decoder.append(many)).rejects.toThrow("expected at most 3 places of a run, got 4");
  decoder.destroy();
});

test("branches behind different instructions, which share a header, and behind none", async () => {
  const decoder = new Decoder(llama, lora, { prefixes: 24, branches: 4, branch: 10 });
  const [header, first, second, third] = [7, 5, 6, 3].map((length, index) => idsOf(llama, length, 30 + index));
  if (header === undefined || first === undefined || second === undefined || third === undefined) {
    throw new Error("expected four parts");
  }
  const prefixes = [[header, first], [header, second], [header], []];
  const dispatch = vi.spyOn(llama.queue, "dispatch");
  await decoder.keep(prefixes);
  await decoder.keep([[header, third]]); // the header is not run again
  dispatch.mockClear();
  await decoder.keep([...prefixes, [header, third]]);
  expect(dispatch).not.toHaveBeenCalled();
  dispatch.mockRestore();
  const sentences = prefixes.map((_, index) => idsOf(llama, 4 + index, 40 + index));
  prefixes.forEach((parts, branch) => decoder.restart(branch, parts));
  await decoder.append(sentences.map((ids, branch) => ({ branch, ids })));
  for (const [branch, ids] of sentences.entries()) {
    await expectNext(llama, decoder, branch, [...(prefixes[branch] ?? []).flat(), ...ids], lora);
  }
  decoder.restart(3, [header, third]);
  await decoder.append([{ branch: 3, ids: sentences[0] ?? [] }]);
  await expectNext(llama, decoder, 3, [...header, ...third, ...(sentences[0] ?? [])], lora);
  expect(decoder.holds([[first, second]])).toBe(false); // 21 of 24 tokens are taken
  decoder.destroy();
});

test("after a step of training no prefix of older weights is used: the same as a fresh decoder", async () => {
  const adapter = await filledLora(llama, { rank: 4, targets: ["k_proj", "v_proj"], deviation: 0.2 });
  const settings = { ...PAPER_SFT, ...adapter.config, learningRate: 0.05, warmupRatio: 0, gradAccumSteps: 1 };
  const trainer = await Trainer.create(
    ...([llama, adapter, [{ name: "a", ids: idsOf(llama, 12, 50), responseStart: 6 }], settings] as const),
  );
  const size = { prefixes: 12, branches: 1, branch: 8 };
  const kept = new Decoder(llama, adapter, size);
  const [parts, sentence] = [[idsOf(llama, 6, 51), idsOf(llama, 6, 52)], idsOf(llama, 5, 53)];
  const predict = async (decoder: Decoder): Promise<Float32Array> => {
    decoder.begin();
    await decoder.keep([parts]);
    decoder.restart(0, parts);
    await decoder.append([{ branch: 0, ids: sentence }]);
    return decoder.logits(0);
  };
  const before = await predict(kept);
  await trainer.step();
  await expect(kept.append([{ branch: 0, ids: [1] }])).rejects.toThrow(
    "expected the adapter to stay as it is while answers are written",
  );
  const fresh = new Decoder(llama, adapter, size);
  const after = await predict(fresh);
  expect(after).not.toEqual(before);
  expect(await predict(kept)).toEqual(after);
  [kept, fresh, trainer, adapter].forEach((one) => one.destroy());
});

test.each([{ adapted: false }, { adapted: true }])(
  "the plan is what a decoder takes: adapter $adapted",
  async (run) => {
    const bytes = readFileSync(new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url));
    const gguf = await openGguf(bytesSource(bytes, "tiny.gguf"));
    const model = { config: llama.config, tensors: [...gguf.tensors.values()], embeddingInFile: false };
    const before = gpu.allocated.bytes;
    const adapter = run.adapted ? Lora.create(llama, { rank: 6, alpha: 8, dropout: 0, targets: ["q_proj"] }, 1) : null;
    const size = { prefixes: 50, branches: 3, branch: 40 };
    const decoder = new Decoder(llama, adapter, size);
    await decoder.append([{ branch: 0, ids: [1, 2] }]);
    await decoder.pickedLogits([{ branch: 0, ids: [1] }]);
    await decoder.logits(0);
    const planned = sumParts(decodingParts(model, adapter?.config ?? null, size));
    expect(planned / (gpu.allocated.bytes - before)).toBeCloseTo(1, 2);
    decoder.destroy();
    adapter?.destroy();
  },
);

test("a prompt longer than one forward's rows goes in several", async () => {
  const random = new TestRandom(4);
  const zeros = withMetadata(llamaSpec(), "llama.context_length", [UINT32, u32(1024)]);
  const tensors = zeros.tensors.map(([name, tensor]): GgufSpec["tensors"][number] => {
    const count = tensor.dims.reduce<number>((product, size) => product * Number(size), 1);
    return [name, { ...tensor, data: new Uint8Array(random.normal(count).buffer) }];
  });
  const long = await load(buildGguf({ ...zeros, tensors }));
  const decoder = new Decoder(long, null, { prefixes: 300, branches: 2, branch: 300 });
  const ids = idsOf(long, 600, 5);
  await startAll(decoder, [ids.slice(0, 300)]);
  await decoder.append([
    { branch: 0, ids: ids.slice(300) },
    { branch: 1, ids: ids.slice(0, 10) },
  ]);
  await expectNext(long, decoder, 0, ids, null);
  await expectNext(long, decoder, 1, [...ids.slice(0, 300), ...ids.slice(0, 10)], null);
  decoder.destroy();
  long.destroy();
});

test("rows join a forward where its tiles have room for them, on a GPU while it waits for the weights", () => {
  const decoder = new Decoder(llama, null, { prefixes: 0, branches: 1, branch: 8 });
  const spare = (rows: readonly number[]) => rows.map((count) => decoder.spareRows(count));
  vi.spyOn(gpu, "isSoftware", "get").mockReturnValue(true);
  expect(spare([1, 4, 5, 8, 9, 271])).toEqual([3, 0, 3, 0, 7, 1]);
  vi.spyOn(gpu, "isSoftware", "get").mockReturnValue(false);
  expect(spare([1, 32, 33])).toEqual([31, 0, 0]);
  vi.restoreAllMocks();
  decoder.destroy();
});

describe("what does not fit", () => {
  test("an empty branch has no logits, also after others", async () => {
    const decoder = new Decoder(llama, null, { prefixes: 4, branches: 2, branch: 4 });
    await expect(decoder.logits(0)).rejects.toThrow("expected tokens in branch 0, got none");
    await decoder.append([{ branch: 0, ids: [1, 2] }]);
    await expect(decoder.pickedLogits([{ branch: 1, ids: [1] }])).rejects.toThrow("expected tokens in branch 1");
    decoder.begin();
    await expect(decoder.logits(0)).rejects.toThrow("expected tokens in branch 0, got none");
    await expect(decoder.append([{ branch: 2, ids: [1] }])).rejects.toThrow("expected a branch below 2, got 2");
    decoder.destroy();
  });

  test("more tokens than the cache, or the model's context, has room for", async () => {
    const decoder = new Decoder(llama, null, { prefixes: 3, branches: 1, branch: 3 });
    await expect(
      decoder.keep([
        [
          [1, 2],
          [3, 4],
        ],
      ]),
    ).rejects.toThrow("expected room for 4 tokens, got 3");
    expect(
      decoder.holds([
        [
          [1, 2],
          [3, 4],
        ],
      ]),
    ).toBe(false);
    expect(() => decoder.restart(0, [[1]])).toThrow("expected a prefix that is kept, got one of 1 tokens that is not");
    await expect(decoder.keep([[[1], [2], [3]]])).rejects.toThrow("expected prefixes of 2 parts at most, got 3");
    await decoder.append([{ branch: 0, ids: [1, 2] }]);
    await expect(decoder.append([{ branch: 0, ids: [1, 2] }])).rejects.toThrow("expected room for 2 tokens, got 1");
    decoder.destroy();
    const long = new Decoder(llama, null, { prefixes: 120, branches: 1, branch: 20 });
    await startAll(long, [idsOf(llama, 118, 6)]);
    expect(long.roomIn(0)).toBe(10); // of the context, 128
    await expect(long.append([{ branch: 0, ids: idsOf(llama, 11, 6) }])).rejects.toThrow("expected room for 11 tokens");
    long.destroy();
    const tooLong = { name: "long", ids: idsOf(llama, 129, 6), responseStart: 1 };
    await expect(scoreExamples(llama, null, [tooLong])).rejects.toThrow("expected at most 128 tokens, the context of");
  });

  test("a workspace over the device's limits leaves no buffer behind", () => {
    const destroyed: Mock[] = [];
    const create = gpu.device.createBuffer.bind(gpu.device);
    const spy = vi.spyOn(gpu.device, "createBuffer").mockImplementation((descriptor) => {
      const buffer = create(descriptor);
      destroyed.push(vi.spyOn(buffer, "destroy"));
      return buffer;
    });
    const rows = Math.floor((128 << 20) / (4 * llama.config.feedForwardSize)) + 1; // gate is the widest
    expect(() => new Workspace(llama, rows, 4, "layer")).toThrow('expected buffer "gate 0" within this device');
    spy.mockRestore();
    expect(destroyed.length).toBeGreaterThan(5);
    destroyed.forEach((destroy) => expect(destroy).toHaveBeenCalled());
  });
});
