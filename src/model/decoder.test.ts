/** Decoding on the cache against whole passes, on a tiny Llama of mixed weight types and on one with a long context. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, type Mock, vi } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { TestRandom } from "../kernels/testRandom.ts";
import { scoreExamples } from "../train/score.ts";
import { Decoder } from "./decoder.ts";
import { buildGguf, type GgufSpec, llamaSpec, u32, UINT32, withMetadata } from "./gguf/buildGguf.ts";
import { bytesSource } from "./gguf/byteSource.ts";
import { openGguf } from "./gguf/gguf.ts";
import { Llama } from "./llama.ts";
import type { Lora } from "./lora.ts";
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

test.each([{ adapted: false }, { adapted: true }])(
  "branches of any lengths behind one beginning, in pieces: adapter $adapted",
  async (run) => {
    const adapter = run.adapted ? lora : null;
    const decoder = new Decoder(llama, adapter, { beginning: 20, branches: 3, branch: 16 });
    const beginning = idsOf(llama, 9, 2);
    const branches = [5, 1, 12].map((length, index) => idsOf(llama, length, 10 + index));
    const [first = [], second = [], third = []] = branches;
    await decoder.begin(beginning);
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
    decoder.restart(2);
    await decoder.append([{ branch: 2, ids: second }]);
    await expectNext(llama, decoder, 2, [...beginning, ...second], adapter);
    const other = [...beginning.slice(0, 6), ...idsOf(llama, 7, 3)];
    for (const next of [other, other.slice(0, 4), [...other.slice(0, 4), 1]]) {
      await decoder.begin(next);
      await decoder.append([{ branch: 1, ids: first }]);
      await expectNext(llama, decoder, 1, [...next, ...first], adapter);
    }
    decoder.destroy();
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
  const decoder = new Decoder(long, null, { beginning: 300, branches: 2, branch: 300 });
  const ids = idsOf(long, 600, 5);
  await decoder.begin(ids.slice(0, 300));
  await decoder.append([
    { branch: 0, ids: ids.slice(300) },
    { branch: 1, ids: ids.slice(0, 10) },
  ]);
  await expectNext(long, decoder, 0, ids, null);
  await expectNext(long, decoder, 1, [...ids.slice(0, 300), ...ids.slice(0, 10)], null);
  decoder.destroy();
  long.destroy();
});

describe("what does not fit", () => {
  test("an empty branch has no logits, also after others", async () => {
    const decoder = new Decoder(llama, null, { beginning: 4, branches: 2, branch: 4 });
    await expect(decoder.logits(0)).rejects.toThrow("expected tokens in branch 0, got none");
    await decoder.append([{ branch: 0, ids: [1, 2] }]);
    await expect(decoder.pickedLogits([{ branch: 1, ids: [1] }])).rejects.toThrow("expected tokens in branch 1");
    await decoder.begin([1]);
    await expect(decoder.logits(0)).rejects.toThrow("expected tokens in branch 0, got none");
    await expect(decoder.append([{ branch: 2, ids: [1] }])).rejects.toThrow("expected a branch below 2, got 2");
    decoder.destroy();
  });

  test("more tokens than the cache, or the model's context, has room for", async () => {
    const decoder = new Decoder(llama, null, { beginning: 3, branches: 1, branch: 3 });
    await expect(decoder.begin([1, 2, 3, 4])).rejects.toThrow("expected room for 4 tokens, got 3");
    await decoder.append([{ branch: 0, ids: [1, 2] }]);
    await expect(decoder.append([{ branch: 0, ids: [1, 2] }])).rejects.toThrow("expected room for 2 tokens, got 1");
    decoder.destroy();
    const long = new Decoder(llama, null, { beginning: 120, branches: 1, branch: 20 });
    await long.begin(idsOf(llama, 118, 6));
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
