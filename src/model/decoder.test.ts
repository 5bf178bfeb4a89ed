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
import { Lora } from "./lora.ts";
import { Workspace } from "./workspace.ts";

const gpu = await testGpu({ limits: "default" });
const load = async (bytes: Uint8Array) => Llama.load(gpu, await openGguf(bytesSource(bytes, "test.gguf")));
let llama: Llama;
let lora: Lora;
beforeAll(async () => {
  llama = await load(readFileSync(new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url)));
  const config = { rank: 5, alpha: 10, dropout: 0, targets: ["q_proj", "v_proj", "down_proj"] } as const;
  const fresh = Lora.create(llama, config, 1);
  const { tensors } = await fresh.read();
  fresh.destroy();
  const random = new TestRandom(1);
  const trained = [...tensors].map(([name, tensor]) => {
    return [name, { ...tensor, data: random.normal(tensor.data.length, 0.2) }] as const;
  });
  lora = Lora.fromWeights(llama, { config, tensors: new Map(trained) });
});
afterAll(() => {
  lora.destroy();
  llama.destroy();
});

const idsOf = (model: Llama, length: number, seed: number) => {
  const random = new TestRandom(seed);
  return Array.from({ length }, () => random.integer(model.config.vocabSize));
};

/** log softmax of the next token, and what a whole pass over `ids` gives it. */
async function expectNext(model: Llama, decoder: Decoder, ids: readonly number[], adapter: Lora | null) {
  const logits = await decoder.logits();
  const label = ids.length % model.config.vocabSize;
  const top = Math.max(...logits);
  const lse = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
  const whole = { name: "whole", ids: [...ids, label], responseStart: ids.length };
  const [score] = await scoreExamples(model, adapter, [whole]);
  expect((logits[label] ?? NaN) - lse).toBeCloseTo(score?.logprob ?? NaN, 4);
}

test.each([{ adapted: false }, { adapted: true }])("pieces, single tokens, a cut: adapter $adapted", async (run) => {
  const adapter = run.adapted ? lora : null;
  const decoder = new Decoder(llama, adapter, 64);
  const ids = idsOf(llama, 20, 2);
  await decoder.reset(ids.slice(0, 9));
  await expectNext(llama, decoder, ids.slice(0, 9), adapter);
  await decoder.append(ids.slice(9, 14));
  for (const id of ids.slice(14)) await decoder.append([id]);
  expect(decoder.length).toBe(20);
  await expectNext(llama, decoder, ids, adapter);
  const other = [...ids.slice(0, 6), ...idsOf(llama, 7, 3)];
  await decoder.reset(other);
  await expectNext(llama, decoder, other, adapter);
  await decoder.reset(other.slice(0, 4)); // a beginning of what is there
  await expectNext(llama, decoder, other.slice(0, 4), adapter);
  decoder.destroy();
});

test("a prompt longer than one forward's rows goes in several", async () => {
  const random = new TestRandom(4);
  const zeros = withMetadata(llamaSpec(), "llama.context_length", [UINT32, u32(1024)]);
  const tensors = zeros.tensors.map(([name, tensor]): GgufSpec["tensors"][number] => {
    const count = tensor.dims.reduce<number>((product, size) => product * Number(size), 1);
    return [name, { ...tensor, data: new Uint8Array(random.normal(count).buffer) }];
  });
  const long = await load(buildGguf({ ...zeros, tensors }));
  const decoder = new Decoder(long, null, 1024);
  const ids = idsOf(long, 600, 5);
  await decoder.reset(ids);
  await expectNext(long, decoder, ids, null);
  decoder.destroy();
  long.destroy();
});

describe("what does not fit", () => {
  test("no tokens have no logits, also after others", async () => {
    const decoder = new Decoder(llama, null, 16);
    expect(() => decoder.logits()).toThrow("expected tokens in the cache, got none");
    await decoder.reset([1, 2]);
    await decoder.reset([]);
    expect(() => decoder.logits()).toThrow("expected tokens in the cache, got none");
    decoder.destroy();
  });

  test("more tokens than the cache, or the model's context, has room for", async () => {
    const decoder = new Decoder(llama, null, 1000);
    expect(decoder.capacity).toBe(128);
    await expect(decoder.reset(idsOf(llama, 129, 6))).rejects.toThrow("expected at most 128 tokens, got 129");
    decoder.destroy();
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
    expect(() => new Workspace(llama, rows, 4, "layer")).toThrow('expected buffer "gate" within this device');
    spy.mockRestore();
    expect(destroyed.length).toBeGreaterThan(5);
    destroyed.forEach((destroy) => expect(destroy).toHaveBeenCalled());
  });
});
