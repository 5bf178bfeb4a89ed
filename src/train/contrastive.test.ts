/** The attention contrastive loss through a tiny Llama; its values are proven against PyTorch in method.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { PAPER_SFT, type TrainConfig } from "./config.ts";
import { ContrastiveLoss, defaultContrastiveLayer } from "./contrastive.ts";
import type { TrainExample } from "./examples.ts";
import { contrastiveGradients, sftGradients } from "./gradients.ts";
import { expectSlope, openTinyLlama } from "./tinyLlama.ts";
import { Trainer } from "./trainer.ts";

let llama: Llama;
let lora: Lora;
beforeAll(async () => {
  ({ llama, lora } = await openTinyLlama());
});
afterAll(() => {
  lora.destroy();
  llama.destroy();
});

const example = (name: string, contrastive: TrainExample["contrastive"] = null): TrainExample => ({
  name,
  ids: [5, 9, 20, 31, 34, 7, 33, 21, 3],
  responseStart: 6,
  contrastive,
});
const one = example("one", { type: [1, 2], entities: [[4, 5]], neighbours: [3] });
const two = example("two", { type: [1], entities: [[3], [5]], neighbours: [4, 4, 2] });
const empty = example("empty");
const layers = { layer: null, rope: "pre" } as const;

test("method.md's layer: 26 of 32, and the same share of other depths", () => {
  expect([32, 30, 8, 2, 1].map(defaultContrastiveLayer)).toEqual([26, 24, 7, 1, 0]);
});

describe.each([
  ["pre", null],
  ["post", 0],
  ["post", null],
] as const)("gradient with %s-RoPE queries and keys at layer %s", (rope, layer) => {
  test("is the loss's slope along a direction", async () => {
    const settings = { layer, rope };
    await expectSlope(llama, lora, (adapter) => contrastiveGradients(llama, adapter, [one, two, empty], settings));
  });
});

test("v_proj and o_proj of the loss's own layer have no gradient, layers above none at all", async () => {
  const { gradients } = await contrastiveGradients(llama, lora, [one], { layer: 0, rope: "pre" });
  for (const [name, { data }] of gradients.tensors) {
    const reached = name.includes("layers.0.") && (name.includes("q_proj") || name.includes("k_proj"));
    expect(
      data.some((value) => value !== 0),
      name,
    ).toBe(reached);
  }
});

test("the loss is the mean over prompts with an entity, those without are passed over", async () => {
  const settings = layers;
  const [first, second, all] = [
    await contrastiveGradients(llama, lora, [one], settings),
    await contrastiveGradients(llama, lora, [two], settings),
    await contrastiveGradients(llama, lora, [empty, one, two, empty], settings),
  ];
  expect(all.loss).toBeCloseTo((first.loss + second.loss) / 2, 5);
});

test("a step's loss and gradient are SFT's plus lambda times the contrastive loss's", async () => {
  const config: TrainConfig = {
    ...PAPER_SFT,
    ...lora.config,
    ...{ dropout: 0, gradAccumSteps: 3, contrastiveWeight: 0.5, contrastiveLayer: null, contrastiveRope: "pre" },
  };
  const copy = Lora.fromWeights(llama, await lora.read());
  const trainer = await Trainer.create(llama, copy, [one, two, empty], config);
  const { losses, pages, gradScale } = await trainer.gradients();
  const [sft, contrastive] = [
    await sftGradients(llama, lora, [one, two, empty]),
    await contrastiveGradients(llama, lora, [one, two, empty], layers),
  ];
  expect(losses.sft_loss).toBeCloseTo(sft.loss, 5);
  expect(losses.contrastive_loss).toBeCloseTo(contrastive.loss, 5);
  expect(losses.loss).toBeCloseTo(sft.loss + 0.5 * contrastive.loss, 5);
  for (const [name, { data }] of (await copy.readPages(pages)).tensors) {
    const [a, b] = [sft, contrastive].map(({ gradients }) => gradients.tensors.get(name)?.data ?? new Float32Array());
    data.forEach((value, i) => {
      expect(Math.abs(value * gradScale - (a?.[i] ?? NaN) - 0.5 * (b?.[i] ?? NaN))).toBeLessThan(1e-5);
    });
  }
  const log = await trainer.step();
  expect(Object.keys(log).slice(-2)).toEqual(["sft_loss", "contrastive_loss"]);
  trainer.destroy();
  copy.destroy();
});

test("checkpointing recomputes the layer and counts its loss once", async () => {
  const run = async (checkpointing: "layer" | "none") => {
    const config = {
      ...PAPER_SFT,
      ...lora.config,
      contrastiveWeight: 1,
      dropout: 0.2,
      gradAccumSteps: 2,
      checkpointing,
    };
    const copy = Lora.fromWeights(llama, await lora.read());
    const trainer = await Trainer.create(llama, copy, [one, two], config);
    const logs = [await trainer.step(), await trainer.step()];
    trainer.destroy();
    copy.destroy();
    return logs;
  };
  expect(await run("layer")).toEqual(await run("none"));
});

describe("errors", () => {
  test("no prompt has an entity", async () => {
    const config = { ...PAPER_SFT, ...lora.config, contrastiveWeight: 0.01 };
    await expect(Trainer.create(llama, lora, [empty, empty], config)).rejects.toThrow(
      "expected at least one prompt with an entity for the attention contrastive loss, got none",
    );
  });

  test.each([-1, 99, 0.5])("layer %d", (layer) => {
    expect(() => new ContrastiveLoss(llama, { layer, rope: "pre" })).toThrow("expected contrastiveLayer");
  });
});
