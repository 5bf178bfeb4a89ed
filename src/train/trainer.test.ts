/** Training's rules on a tiny Llama of mixed weight types; its arithmetic is proven in golden.test.ts. */
import { readFileSync } from "node:fs";
import { create } from "webgpu";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openGpu } from "../gpu/device.ts";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { bytesSource } from "../model/gguf/byteSource.ts";
import { openGguf } from "../model/gguf/gguf.ts";
import { LORA_TARGETS } from "../model/adapters/loraWeights.ts";
import { dropoutParams } from "../model/forward.ts";
import { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { PAPER_SFT, type TrainConfig } from "./config.ts";
import type { TrainExample } from "./examples.ts";
import { sftGradients } from "./gradients.ts";
import { type StepLog, Trainer, TrainingError } from "./trainer.ts";

const gpu = await testGpu();
const openTiny = () =>
  openGguf(bytesSource(readFileSync(new URL("../../reference/goldens/gguf/tiny.gguf", import.meta.url)), "tiny.gguf"));
let llama: Llama;
beforeAll(async () => {
  llama = await Llama.load(gpu, await openTiny());
});
afterAll(() => llama.destroy());

const config: TrainConfig = {
  ...PAPER_SFT,
  ...{ rank: 3, targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] },
  ...{ learningRate: 1e-2, gradAccumSteps: 2, epochs: 3 },
};
const example = (name: string, length: number): TrainExample => ({
  name,
  ids: Array.from({ length }, (_, i) => (7 * i + length) % llama.config.vocabSize),
  responseStart: length - 4,
});
const examples = () => [example("a", 9), example("b", 12), example("c", 6)];

async function run(
  changes: Partial<TrainConfig>,
  steps: number,
  startsAhead = false,
): Promise<{ logs: StepLog[]; weights: Float32Array[] }> {
  const settings = { ...config, ...changes };
  const lora = Lora.create(llama, settings, settings.seed);
  const trainer = await Trainer.create(llama, lora, examples(), settings);
  trainer.startsAhead = startsAhead;
  const logs: StepLog[] = [];
  while (logs.length < steps) {
    logs.push(await trainer.step());
  }
  const { tensors } = await lora.read();
  trainer.destroy();
  lora.destroy();
  return { logs, weights: [...tensors.values()].map(({ data }) => data) };
}

describe("training", () => {
  test("the loss falls, and the log has TRL's names", async () => {
    const { logs } = await run({ dropout: 0, learningRate: 5e-2 }, 6);
    expect(Object.keys(logs[0] ?? {})).toEqual(["step", "epoch", "loss", "learning_rate", "grad_norm", "num_tokens"]);
    expect(logs.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(logs.at(-1)?.epoch).toBe(3);
    expect(logs.at(-1)?.num_tokens).toBe(3 * (9 + 12 + 6));
    const epochMean = (e: number) => ((logs[2 * e]?.loss ?? NaN) + (logs[2 * e + 1]?.loss ?? NaN)) / 2;
    expect(epochMean(2)).toBeLessThan(epochMean(0) - 0.01);
  });

  test("the same seed gives the same log and weights, bit for bit, with dropout; another does not", async () => {
    const first = await run({ dropout: 0.3 }, 3);
    const again = await run({ dropout: 0.3 }, 3);
    const other = await run({ dropout: 0.3, seed: 7 }, 3);
    expect(again).toEqual(first);
    expect(other.logs).not.toEqual(first.logs);
  });

  test("steps begun ahead of the scalars of the last give the same log and weights, bit for bit", async () => {
    const settings = { dropout: 0.3, packTokens: 0, contrastiveWeight: 0 };
    expect(await run(settings, 6, true)).toEqual(await run(settings, 6));
  });

  test("a step begun ahead is read before the last one's log is out; going on from a state forgets it", async () => {
    const settings = { ...config, packTokens: 0 };
    const lora = Lora.create(llama, settings, settings.seed);
    const all = examples();
    const asked: string[] = [];
    const get = (index: number) => {
      asked.push(all[index]?.name ?? "");
      return Promise.resolve(all[index] as TrainExample);
    };
    const trainer = await Trainer.create(llama, lora, { length: all.length, longest: 12, get }, settings);
    trainer.startsAhead = true;
    const start = await trainer.state();
    const logs: StepLog[] = [];
    for (const count of [3, 5]) {
      logs.push(await trainer.step());
      expect(asked).toHaveLength(count); // epochs of 2 + 1 prompts
    }
    trainer.restore(start);
    expect([await trainer.step(), await trainer.step()]).toEqual(logs);
    trainer.destroy();
    lora.destroy();
  });

  test("dropout is at work, with a mask of its own for every linear and micro-batch", async () => {
    const [without, dropped] = [await run({ dropout: 0 }, 3), await run({ dropout: 0.3 }, 3)];
    expect(dropped.logs[2]?.loss).not.toBe(without.logs[2]?.loss);
    const seeds = [1, 2].flatMap((seed) =>
      [0, 1, 2].flatMap((layer) =>
        LORA_TARGETS.map((target) => dropoutParams({ dropout: { seed, rate: 0.3 } }, layer, target).seed),
      ),
    );
    expect(new Set(seeds).size).toBe(2 * 3 * 7);
  });

  test("the gradient is clipped: far below Adam's epsilon nothing moves as far as the learning rate", async () => {
    const moved = async (maxGradNorm: number) => {
      const { weights } = await run({ dropout: 0, warmupRatio: 0, maxGradNorm }, 1);
      return Math.max(...weights.filter((_, i) => i % 2 === 1).map((b) => Math.max(...b.map(Math.abs)))); // lora_B
    };
    expect(await moved(0)).toBeCloseTo(config.learningRate, 4);
    expect(await moved(1e-9)).toBeLessThan(config.learningRate / 5);
  });

  test("weight decay alone moves A in the first step, since B = 0 gives it no gradient", async () => {
    const settings = { ...config, dropout: 0, warmupRatio: 0, weightDecay: 0.5 };
    const fresh = Lora.create(llama, settings, settings.seed);
    const [before] = [...(await fresh.read()).tensors.values()];
    fresh.destroy();
    const [after] = (await run(settings, 1)).weights;
    expect(before?.data.length).toBe(after?.length);
    after?.forEach((value, i) => expect(value).toBeCloseTo((before?.data[i] ?? NaN) * (1 - 1e-2 * 0.5), 7));
  });

  test("gradients over all prompts stop between two passes", async () => {
    const controller = new AbortController();
    const done: number[] = [];
    const lora = Lora.create(llama, config, config.seed);
    const stopped = sftGradients(llama, lora, examples(), {
      signal: controller.signal,
      packTokens: 0,
      onProgress(count) {
        done.push(count);
        controller.abort();
      },
    });
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(done).toEqual([1]);
    lora.destroy();
  });

  test("checkpointing recomputes what the other mode keeps, dropout included", async () => {
    const layer = await run({ dropout: 0.3, checkpointing: "layer" }, 3);
    const none = await run({ dropout: 0.3, checkpointing: "none" }, 3);
    expect(none).toEqual(layer);
    // One block of all layers.
    expect(await run({ dropout: 0.3, checkpointing: 2 }, 3)).toEqual(layer);
    expect(await run({ dropout: 0.3, checkpointing: 3 }, 3)).toEqual(layer);
  });

  test("a rank that is no multiple of 4 is padded with rows that stay out of the adapter", async () => {
    const { weights } = await run({ dropout: 0 }, 2);
    const [a, b] = weights;
    expect(a?.length).toBe(3 * llama.config.hiddenSize);
    expect(b?.every(Number.isFinite)).toBe(true);
    expect(b?.some((value) => value !== 0)).toBe(true);
  });

  test("gradients of a sum of prompts do not depend on their order or on what ran before", async () => {
    const lora = Lora.create(llama, config, 1);
    const there = await sftGradients(llama, lora, examples());
    const back = await sftGradients(llama, lora, examples().reverse());
    lora.destroy();
    expect(back.loss).toBeCloseTo(there.loss, 5);
    expect(back.gradNorm).toBeCloseTo(there.gradNorm, 5);
  });
});

test("weights split into parts, the embedding and head among them, give the same loss and gradients", async () => {
  const split = await Llama.load(gpu, await openTiny(), { maxPartBytes: 4096 });
  expect(split.head.parts.length).toBeGreaterThan(1);
  expect(split.layers[0]?.linears.down_proj.parts.length).toBeGreaterThan(1);
  const whole = Lora.create(llama, config, 1);
  const weights = await whole.read();
  const tensors = new Map(
    [...weights.tensors].map(([name, { shape, data }]) => [
      name,
      { shape, data: data.map((_, i) => 0.05 * Math.sin(i)) },
    ]),
  );
  const adapters = [llama, split].map((model) => Lora.fromWeights(model, { config: weights.config, tensors }));
  const [expected, actual] = [
    await sftGradients(llama, adapters[0] as Lora, examples()),
    await sftGradients(split, adapters[1] as Lora, examples()),
  ];
  expect(actual.loss).toBeCloseTo(expected.loss, 5);
  for (const [name, { data }] of actual.gradients.tensors) {
    const reference = expected.gradients.tensors.get(name)?.data ?? new Float32Array();
    data.forEach((value, i) => expect(Math.abs(value - (reference[i] ?? NaN))).toBeLessThan(1e-5));
  }
  [...adapters, whole].forEach((lora) => lora.destroy());
  split.destroy();
});

test("a trainer restored from a state takes the steps the first one would have taken, bit for bit", async () => {
  const through = await run({ dropout: 0.3 }, 5);
  const settings = { ...config, dropout: 0.3 };
  const first = Lora.create(llama, settings, settings.seed);
  const trainer = await Trainer.create(llama, first, examples(), settings);
  await trainer.step();
  await trainer.step();
  const state = await trainer.state();
  trainer.destroy();
  first.destroy();
  const second = Lora.create(llama, settings, 99);
  const resumed = await Trainer.create(llama, second, examples(), settings);
  resumed.restore(state);
  const logs = [await resumed.step(), await resumed.step(), await resumed.step()];
  expect(logs).toEqual(through.logs.slice(2));
  expect([...(await second.read()).tensors.values()].map(({ data }) => data)).toEqual(through.weights);
  const { totalSteps } = resumed;
  expect(() => resumed.restore({ ...state, stepsDone: totalSteps + 1 })).toThrow("expected a state of at most");
  expect(() => resumed.restore({ ...state, m: [] })).toThrow("the state is another adapter's");
  resumed.destroy();
  second.destroy();
});

describe("what stops training", () => {
  test("an empty support set", async () => {
    const lora = Lora.create(llama, config, 1);
    await expect(Trainer.create(llama, lora, [], config)).rejects.toThrow("expected at least one training prompt");
    lora.destroy();
  });

  test("not as many prompts as no call could take for arguments", async () => {
    const lora = Lora.create(llama, config, 1);
    const many = new Array<TrainExample>(300_000).fill(example("a", 9));
    const trainer = await Trainer.create(llama, lora, many, config);
    expect(trainer.totalSteps).toBe(450_000);
    trainer.destroy();
    lora.destroy();
  });

  test("a setting out of range", async () => {
    const lora = Lora.create(llama, config, 1);
    const wrong = { ...config, learningRate: Number.NaN };
    await expect(Trainer.create(llama, lora, examples(), wrong)).rejects.toThrow("expected learningRate");
    lora.destroy();
  });

  test.each([false, true])(
    "NaN: step, tensor and prompts are named, no weight has changed (ahead: %s)",
    async (ahead) => {
      const lora = Lora.create(llama, config, 1);
      const sound = await lora.read();
      const tensors = new Map(sound.tensors);
      const name = "base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight";
      const poisoned = tensors.get(name);
      expect(poisoned).toBeDefined();
      if (poisoned !== undefined) {
        tensors.set(name, { ...poisoned, data: poisoned.data.map((value, i) => (i === 5 ? NaN : value)) });
      }
      const broken = Lora.fromWeights(llama, { config: { ...config, dropout: 0 }, tensors });
      const trainer = await Trainer.create(llama, broken, examples(), config);
      trainer.startsAhead = ahead;
      const failure = await trainer.step().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(TrainingError);
      expect(String(failure)).toMatch(/step 1.*lora_[AB].*prompts .*(a|b|c)/);
      expect((await broken.read()).tensors).toEqual(tensors);
      expect(trainer.stepsDone).toBe(0);
      trainer.destroy();
      broken.destroy();
      lora.destroy();
    },
  );

  test("finite gradients whose squares overflow: the norm is named", async () => {
    // B = 0, so that only B's gradient grows with alpha: about 1e25·x·dy, finite, its square above f32.
    const lora = Lora.create(llama, { ...config, alpha: 1e25 }, 1);
    const failure = await sftGradients(llama, lora, examples()).catch((error: unknown) => error);
    lora.destroy();
    expect(failure).toBeInstanceOf(TrainingError);
    expect(String(failure)).toContain("in the gradients, got NaN or Infinity in the gradients' global norm");
  });

  test("a stop between micro-batches leaves the weights as they were", async () => {
    const lora = Lora.create(llama, config, 1);
    const before = await lora.read();
    const trainer = await Trainer.create(llama, lora, examples(), config);
    await expect(trainer.step(AbortSignal.abort())).rejects.toThrow();
    expect(await lora.read()).toEqual(before);
    trainer.destroy();
    lora.destroy();
  });

  test("a stop after a micro-batch: what it recorded does not outlive its buffers", async () => {
    const lora = Lora.create(llama, config, 1);
    const trainer = await Trainer.create(llama, lora, examples(), { ...config, packTokens: 0 });
    const { signal } = new AbortController();
    const stop = vi.spyOn(signal, "throwIfAborted").mockImplementation(() => {
      throw new Error("stopped");
    });
    stop.mockImplementationOnce(() => undefined);
    await expect(trainer.step(signal)).rejects.toThrow("stopped");
    trainer.destroy();
    lora.destroy();
    await llama.queue.read(llama.outputNorm); // submits what is still recorded; any GPU error ends it
  });

  test("a lost device: the step fails in words", async () => {
    const other = await openGpu(create([]));
    const tiny = await Llama.load(other, await openTiny());
    const lora = Lora.create(tiny, config, 1);
    const trainer = await Trainer.create(tiny, lora, examples(), config);
    await trainer.step();
    other.destroy();
    await expect(trainer.step()).rejects.toThrow(/device/i);
    expect((await other.lost).reason).toBe("destroyed");
  });
});

describe("an adapter that does not fit", () => {
  test("wrong shape, missing and foreign tensors are named", async () => {
    const lora = Lora.create(llama, config, 1);
    const { config: own, tensors } = await lora.read();
    lora.destroy();
    const name = "base_model.model.model.layers.0.mlp.down_proj.lora_B.weight";
    const change = (edit: (map: Map<string, { shape: [number, number]; data: Float32Array }>) => void) => {
      const map = new Map(tensors) as Map<string, { shape: [number, number]; data: Float32Array }>;
      edit(map);
      return () => Lora.fromWeights(llama, { config: own, tensors: map });
    };
    expect(change((map) => map.delete(name))).toThrow(name);
    expect(change((map) => map.set(name, { shape: [3, 3], data: new Float32Array(9) }))).toThrow("3×3");
    const foreign = name.replace("layers.0", "layers.99");
    expect(change((map) => map.set(foreign, { shape: [1, 1], data: new Float32Array(1) }))).toThrow("layers.99");
  });

  test("PEFT's names and row order survive a round trip", async () => {
    const lora = Lora.create(llama, config, 3);
    const first = await lora.read();
    const tensors = new Map(
      [...first.tensors].map(([key, { shape, data }]) => [key, { shape, data: data.map((_, i) => Math.sin(i + 1)) }]),
    );
    const second = Lora.fromWeights(llama, { config: first.config, tensors });
    expect((await second.read()).tensors).toEqual(tensors);
    second.destroy();
    lora.destroy();
  });
});
